//! Private rooms: an entry changes who belongs, and with it who may read.

use common::{EntryKind, ErrorCode, Member, ServerMessage};
use rooms::{AppendRefusal, Appended, MembershipChange, MemoryLog, RoomRecord, Settings};

use super::{
    draft, draft_of, member, membership, position, private_room, refused, room_name, say,
    yard::Yard,
};

fn log() -> MemoryLog {
    let mut log = MemoryLog::new();
    log.open(private_room("비밀", &["hana", "duri"])).unwrap();
    log
}

fn changes(log: &mut MemoryLog, author: &str, change: MembershipChange, who: &str) {
    let n = log.room(&room_name("비밀")).unwrap().head.seq;
    say(log, draft_of("비밀", author, &format!("change-{n}"), membership(change, who)));
}

fn names(log: &MemoryLog) -> Vec<Member> {
    log.room(&room_name("비밀")).unwrap().members.as_deref().unwrap().to_vec()
}

#[test]
fn whoever_is_let_in_may_speak_from_then_on_and_whoever_went_may_not() {
    let mut log = log();
    let hidden = AppendRefusal::NoSuchRoom(room_name("비밀"));
    assert_eq!(refused(&mut log, draft("비밀", "sena", "m1", "나도")), hidden);
    changes(&mut log, "duri", MembershipChange::Joined, "sena");
    assert_eq!(names(&log), ["hana", "duri", "sena"].map(member));
    say(&mut log, draft("비밀", "sena", "m1", "나도"));
    changes(&mut log, "sena", MembershipChange::Left, "sena");
    assert_eq!(refused(&mut log, draft("비밀", "sena", "m2", "또")), hidden);
}

#[test]
fn what_was_said_before_being_sent_away_is_known_again_all_the_same() {
    let mut log = log();
    let place = say(&mut log, draft("비밀", "duri", "m1", "안녕")).position();
    changes(&mut log, "hana", MembershipChange::Kicked, "duri");
    let again = log.append(draft("비밀", "duri", "m1", "안녕"), super::noon());
    assert!(matches!(again, Ok(Appended::Repeated(first)) if first == place));
}

#[test]
fn when_the_first_leaves_the_next_may_send_away() {
    let mut log = log();
    changes(&mut log, "hana", MembershipChange::Joined, "sena");
    let kick = || draft_of("비밀", "duri", "kick", membership(MembershipChange::Kicked, "sena"));
    assert_eq!(refused(&mut log, kick()), AppendRefusal::Forbidden);
    changes(&mut log, "hana", MembershipChange::Left, "hana");
    say(&mut log, kick());
    assert_eq!(names(&log), [member("duri")]);
}

#[test]
fn whoever_comes_back_stands_behind_the_others() {
    let mut log = log();
    changes(&mut log, "hana", MembershipChange::Left, "hana");
    changes(&mut log, "duri", MembershipChange::Joined, "hana");
    assert_eq!(names(&log), ["duri", "hana"].map(member));
}

#[test]
fn the_entry_names_whom_it_is_about_and_what_became_of_them() {
    let mut log = log();
    changes(&mut log, "hana", MembershipChange::Kicked, "duri");
    let entry = &log.read_after(&room_name("비밀"), 0, 1)[0];
    assert_eq!((entry.kind, &*entry.body), (EntryKind::Membership, "kicked"));
    assert_eq!((&entry.author, &entry.member), (&member("hana"), &Some(member("duri"))));
}

#[test]
fn what_is_known_of_a_room_follows_its_entries() {
    let mut log = log();
    let mut record = RoomRecord::new(private_room("비밀", &["hana", "duri"]));
    changes(&mut log, "hana", MembershipChange::Joined, "sena");
    say(&mut log, draft_of("비밀", "hana", "t1", super::topic("이야기")));
    changes(&mut log, "hana", MembershipChange::Kicked, "duri");
    for entry in log.read_after(&room_name("비밀"), 0, usize::MAX) {
        record.advance(&entry);
    }
    assert_eq!(record, *log.room(&room_name("비밀")).unwrap());
    assert_eq!(record.topic.map(|topic| topic.as_str().to_owned()), Some("이야기".into()));
    say(&mut log, draft_of("비밀", "hana", "t2", super::topic("")));
    assert_eq!(log.room(&room_name("비밀")).unwrap().topic, None, "nothing is no topic");
}

fn yard() -> Yard {
    let mut yard = Yard::new(Settings::default());
    yard.opens_room(private_room("비밀", &["hana", "duri"]));
    yard
}

#[test]
fn to_whoever_does_not_belong_a_private_room_is_not_there() {
    let mut yard = yard();
    let mut sena = yard.guest("sena");
    sena.joins(&mut yard, "비밀", None);
    let (_, secret) = sena.refusal();
    sena.joins(&mut yard, "nowhere", None);
    assert_eq!((secret.code, &secret), (ErrorCode::NotFound, &sena.refusal().1));
    yard.takes("비밀", "hana", "m1", membership(MembershipChange::Joined, "sena"));
    sena.joins(&mut yard, "비밀", None);
    assert!(matches!(&sena.hears()[..], [ServerMessage::Joined { .. }]));
}

#[test]
fn whoever_is_removed_is_told_and_nothing_of_what_was_read_for_them_is_written() {
    let mut yard = yard();
    let mut duri = yard.guest("duri");
    duri.joins(&mut yard, "비밀", None);
    duri.hears();
    yard.takes("비밀", "hana", "m1", super::post("읽었지만 쓰지 않은 것"));
    yard.read(&mut duri.conversation);
    yard.takes("비밀", "hana", "m2", membership(MembershipChange::Kicked, "duri"));
    duri.conversation.handle_removed(&room_name("비밀"));
    yard.takes("비밀", "hana", "m3", super::post("그 뒤의 말"));
    let heard = duri.hears_all(&mut yard);
    let [ServerMessage::Left { id: None, room, removed: true }] = &heard[..] else {
        panic!("{heard:?}")
    };
    assert_eq!(*room, room_name("비밀"));
    assert_eq!(common::encode(&heard[0]), r#"{"type":"left","room":"비밀","removed":true}"#);
    duri.conversation.handle_removed(&room_name("비밀"));
    assert_eq!(duri.hears(), [], "it is told once");
}

#[test]
fn whoever_was_removed_can_neither_say_nor_page_nor_mark_nor_come_back() {
    let mut yard = yard();
    let mut duri = yard.guest("duri");
    duri.joins(&mut yard, "비밀", None);
    yard.takes("비밀", "hana", "m1", membership(MembershipChange::Kicked, "duri"));
    duri.conversation.handle_removed(&room_name("비밀"));
    duri.hears();
    duri.posts(&mut yard, "비밀", "m1", "나 아직 있어");
    assert_eq!(duri.refusal().1.code, ErrorCode::Forbidden);
    duri.pages(&mut yard, "비밀", (None, None), None);
    assert_eq!(duri.refusal().1.code, ErrorCode::Forbidden);
    duri.marks(&mut yard, "비밀", 1);
    assert_eq!(duri.refusal().1.code, ErrorCode::Forbidden);
    duri.joins(&mut yard, "비밀", Some(("e1", 0)));
    assert_eq!(duri.refusal().1.code, ErrorCode::NotFound);
    assert_eq!(yard.rooms[&room_name("비밀")].head(), position("e1", 1));
}
