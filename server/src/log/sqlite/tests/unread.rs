//! What somebody has not read, by their mark.

use super::*;

#[test]
fn unread_posts_are_those_of_others_after_the_mark_which_never_goes_back() {
    let dir = TempDir::new();
    let store = dir.store();
    store.opens(new_room("general", Keep::Forever)).unwrap();
    for (nth, (author, text)) in
        [("hana", "1"), ("duri", "2"), ("hana", "@duri!"), ("hana", "4"), ("hana", "5")]
            .into_iter()
            .enumerate()
    {
        store.says(post(author, &format!("m{nth}"), text)).unwrap();
    }
    store.says(draft("hana", "d", Content::Delete { of: 5 })).unwrap();
    let unread = || store.unread(&room("general"), &somebody("duri")).unwrap();
    assert_eq!(unread(), None);
    let mark = |seq| Change::Mark { reader: somebody("duri").id, room: room("general"), seq };
    store.make(mark(1));
    assert_eq!(unread(), Some(Unread { read: 1, posts: 2, mentions: 1 }));
    store.make(mark(3));
    store.make(mark(2));
    assert_eq!(unread(), Some(Unread { read: 3, posts: 1, mentions: 0 }));
    store.make(mark(1_000));
    assert_eq!(unread(), Some(Unread { read: 6, posts: 0, mentions: 0 }));
}

#[test]
fn what_is_said_to_a_new_member_is_unread_before_they_have_looked() {
    let dir = TempDir::new();
    let store = dir.store();
    let members = Some(vec![somebody("hana"), somebody("sena")]);
    store.opens(NewRoom { members, ..new_room("general", Keep::Forever) }).unwrap();
    store.says(post("hana", "m1", "before")).unwrap();
    let change = MembershipChange::Joined;
    let content = Content::Membership { change, member: somebody("duri") };
    store.says(draft("hana", "c1", content)).unwrap();
    store.says(post("hana", "m2", "@duri, hello")).unwrap();
    let unread = |who| store.unread(&room("general"), &somebody(who)).unwrap();
    assert_eq!(unread("duri"), Some(Unread { read: 2, posts: 1, mentions: 1 }));
    assert_eq!(unread("sena"), Some(Unread { read: 0, posts: 2, mentions: 0 }));
    assert_eq!(unread("nari"), None);
}

#[test]
fn no_more_is_looked_at_for_what_is_unread_than_is_worth_it() {
    let dir = TempDir::new();
    let store = dir.store();
    store.opens(new_room("general", Keep::Forever)).unwrap();
    store.make(Change::Mark { reader: somebody("duri").id, room: room("general"), seq: 0 });
    store.says(post("hana", "first", "long ago")).unwrap();
    let own = |nth| Change::Append(post("duri", &format!("m{nth}"), "hm"));
    store.commit(&(2..10_000).map(own).collect::<Vec<_>>(), &at()).unwrap();
    let unread = || store.unread(&room("general"), &somebody("duri")).unwrap().unwrap();
    assert_eq!(unread().posts, 1);
    store.says(post("hana", "last", "@duri!")).unwrap();
    assert_eq!((unread().posts, unread().mentions), (2, 1));
    store.says(post("duri", "m10000", "hm")).unwrap();
    assert_eq!((unread().posts, unread().mentions), (1, 1));
}
