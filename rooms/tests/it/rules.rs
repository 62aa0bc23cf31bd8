//! Who may do what to which entry: the table of `access::may`, and every rule of a log.

use common::{Member, UserId, http::Keep};
use rooms::{
    AppendRefusal, Appended, Content, MembershipChange, MemoryLog,
    access::{Deed, may},
};

use super::{
    delete, draft_of, edit, member, membership, new_room, noon, position, post, private_room,
    reaction, refused, room_name, say, topic, user_id,
};

/// hana opened it, duri belongs to it; sena does not.
fn members() -> [Member; 2] {
    [member("hana"), member("duri")]
}

/// Who of hana, duri and sena may do it, in an open room and in the private one.
fn check_may(deed: Deed<'_>, in_open: [bool; 3], in_private: [bool; 3]) {
    let people = ["hana", "duri", "sena"].map(user_id);
    let open = [0, 1, 2].map(|n: usize| may(&people[n], deed, None));
    let private = [0, 1, 2].map(|n: usize| may(&people[n], deed, Some(&members())));
    assert_eq!((open, private), (in_open, in_private), "{deed:?}");
}

#[test]
fn everybody_may_read_and_say_in_an_open_room_and_members_in_a_private_one() {
    for deed in [Deed::Read, Deed::Say] {
        check_may(deed, [true; 3], [true, true, false]);
    }
}

#[test]
fn authors_alone_may_edit_and_delete_and_only_where_they_may_read() {
    let [hana, duri, sena]: [UserId; 3] = ["hana", "duri", "sena"].map(user_id);
    for (author, own) in [
        (&hana, [true, false, false]),
        (&duri, [false, true, false]),
        (&sena, [false, false, true]),
    ] {
        for deed in [Deed::Edit { author }, Deed::Delete { author }] {
            let in_private = [own[0], own[1], false];
            check_may(deed, own, in_private);
        }
    }
}

#[test]
fn members_may_admit_and_go_and_the_first_of_them_may_send_away() {
    let [hana, duri, sena]: [UserId; 3] = ["hana", "duri", "sena"].map(user_id);
    check_may(Deed::Admit, [false; 3], [true, true, false]);
    check_may(Deed::Remove { member: &hana }, [false; 3], [true, false, false]);
    check_may(Deed::Remove { member: &duri }, [false; 3], [true, true, false]);
    check_may(Deed::Remove { member: &sena }, [false; 3], [true, false, false]);
}

/// A log in which hana posted (1), edited (2), deleted another post (3, 4) and duri put a sign on
/// the first (5); sena belongs to the open room only.
fn log() -> MemoryLog {
    let mut log = MemoryLog::new();
    log.open(new_room("마당", Keep::Forever)).unwrap();
    log.open(private_room("비밀", &["hana", "duri"])).unwrap();
    for (room, prefix) in [("마당", "open"), ("비밀", "private")] {
        let said = [
            ("hana", post("안녕")),
            ("hana", edit(1, "안녕!")),
            ("hana", post("실수")),
            ("hana", delete(3)),
            ("duri", reaction(1, "👋")),
        ];
        for (n, (author, content)) in said.into_iter().enumerate() {
            say(&mut log, draft_of(room, author, &format!("{prefix}-{n}"), content));
        }
    }
    log
}

/// What becomes of it in the open room, or the private one: `None` when it is taken.
fn check(room: &str, author: &str, content: Content) -> Option<AppendRefusal> {
    match log().append(draft_of(room, author, "new", content), noon()) {
        Ok(Appended::New(entry)) => {
            assert_eq!(entry.seq, 6);
            None
        }
        Ok(Appended::Repeated(place)) => panic!("{place:?}"),
        Err(refusal) => Some(refusal),
    }
}

#[test]
fn each_rule_of_an_open_room() {
    use AppendRefusal::{Already, Deleted, Forbidden, NoSuchEntry, WrongKind};
    let change = |change, who| membership(change, who);
    for (author, content, expected) in [
        ("sena", post("나도"), None),
        ("sena", topic("이야기"), None),
        ("sena", topic(""), None),
        ("hana", edit(1, "또"), None),
        ("duri", edit(1, "내 말"), Some(Forbidden)),
        ("hana", edit(2, "고친 것을"), Some(WrongKind(2))),
        ("hana", edit(3, "지운 것을"), Some(Deleted(3))),
        ("duri", edit(3, "남이 지운 것을"), Some(Forbidden)),
        ("hana", edit(4, "지움을"), Some(WrongKind(4))),
        ("duri", edit(5, "👍"), Some(WrongKind(5))),
        ("hana", edit(0, "없는 것을"), Some(NoSuchEntry(0))),
        ("hana", edit(6, "자신을"), Some(NoSuchEntry(6))),
        ("hana", delete(1), None),
        ("duri", delete(1), Some(Forbidden)),
        ("hana", delete(2), Some(WrongKind(2))),
        ("hana", delete(3), Some(Deleted(3))),
        ("hana", delete(4), Some(WrongKind(4))),
        ("duri", delete(5), None),
        ("hana", delete(5), Some(Forbidden)),
        ("hana", delete(7), Some(NoSuchEntry(7))),
        ("hana", reaction(1, "👋"), None),
        ("duri", reaction(1, "🎉"), None),
        ("duri", reaction(1, "👋"), Some(Already)),
        ("duri", reaction(2, "👋"), Some(WrongKind(2))),
        ("duri", reaction(5, "👋"), Some(WrongKind(5))),
        ("duri", reaction(9, "👋"), Some(NoSuchEntry(9))),
        // Everybody is in an open room already.
        ("hana", change(MembershipChange::Joined, "sena"), Some(Forbidden)),
        ("hana", change(MembershipChange::Left, "hana"), Some(Forbidden)),
        ("hana", change(MembershipChange::Kicked, "duri"), Some(Forbidden)),
    ] {
        let told = format!("{author}: {content:?}");
        assert_eq!(check("마당", author, content), expected, "{told}");
    }
}

#[test]
fn each_rule_of_a_private_room() {
    use AppendRefusal::{Already, Forbidden, NoSuchRoom};
    let hidden = || Some(NoSuchRoom(room_name("비밀")));
    for (author, content, expected) in [
        ("duri", post("우리끼리"), None),
        ("sena", post("나도"), hidden()),
        ("sena", topic("이야기"), hidden()),
        ("sena", edit(1, "없는 듯"), hidden()),
        ("sena", reaction(1, "👋"), hidden()),
        ("sena", membership(MembershipChange::Joined, "sena"), hidden()),
        ("duri", membership(MembershipChange::Joined, "sena"), None),
        ("duri", membership(MembershipChange::Joined, "hana"), Some(Already)),
        ("duri", membership(MembershipChange::Left, "duri"), None),
        ("duri", membership(MembershipChange::Kicked, "hana"), Some(Forbidden)),
        ("hana", membership(MembershipChange::Kicked, "duri"), None),
        ("hana", membership(MembershipChange::Kicked, "sena"), Some(Already)),
    ] {
        let told = format!("{author}: {content:?}");
        assert_eq!(check("비밀", author, content), expected, "{told}");
    }
}

#[test]
fn what_is_refused_leaves_the_log_as_it_was_and_is_not_remembered() {
    let mut log = log();
    let before = log.room(&room_name("마당")).unwrap().clone();
    refused(&mut log, draft_of("마당", "duri", "again", edit(1, "내 말")));
    assert_eq!(*log.room(&room_name("마당")).unwrap(), before);
    assert_eq!(say(&mut log, draft_of("마당", "duri", "again", post("내 말"))).seq, 6);
}

#[test]
fn a_sign_that_was_taken_back_may_be_put_again() {
    let mut log = log();
    say(&mut log, draft_of("마당", "duri", "back", delete(5)));
    let again = draft_of("마당", "duri", "again", reaction(1, "👋"));
    assert_eq!(say(&mut log, again).seq, 7);
    let twice = draft_of("마당", "duri", "twice", reaction(1, "👋"));
    assert_eq!(refused(&mut log, twice), AppendRefusal::Already);
}

#[test]
fn everything_that_is_said_again_is_known_again_even_where_it_could_not_be_said_anew() {
    let mut log = log();
    for (n, (author, content)) in [
        ("hana", edit(1, "고침")),
        ("duri", reaction(1, "🎉")),
        ("hana", delete(1)),
        ("sena", topic("이야기")),
    ]
    .into_iter()
    .enumerate()
    {
        let draft = || draft_of("마당", author, &format!("twice-{n}"), content.clone());
        let first = say(&mut log, draft()).position();
        let again = log.append(draft(), noon());
        assert!(matches!(again, Ok(Appended::Repeated(place)) if place == first), "{content:?}");
    }
}

#[test]
fn a_message_id_stands_for_its_kind_its_target_and_its_text() {
    let first = [
        post("안녕"),
        edit(1, "안녕"),
        edit(1, "안녕!!"),
        reaction(1, "안녕"),
        reaction(1, "👍"),
        topic("안녕"),
        delete(1),
    ];
    for (n, one) in first.iter().enumerate() {
        for (m, other) in first.iter().enumerate().filter(|(m, _)| *m != n) {
            let mut log = log();
            say(&mut log, draft_of("마당", "hana", "same", one.clone()));
            let conflict = refused(&mut log, draft_of("마당", "hana", "same", other.clone()));
            assert_eq!(conflict, AppendRefusal::Conflict(position("e1", 6)), "{n} {m}");
        }
    }
    let mut log = log();
    let change = |change, who| draft_of("비밀", "hana", "same", membership(change, who));
    say(&mut log, change(MembershipChange::Joined, "sena"));
    for other in [
        change(MembershipChange::Joined, "nari"),
        change(MembershipChange::Kicked, "sena"),
        draft_of("마당", "hana", "same", membership(MembershipChange::Joined, "sena")),
    ] {
        assert_eq!(refused(&mut log, other), AppendRefusal::Conflict(position("e1", 6)));
    }
}
