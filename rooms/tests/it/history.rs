//! Pages of the past and read markers: what may be asked, how often, and what waits meanwhile.

use common::{
    ClientMessage, ErrorCode, FieldFault, Problem, ServerMessage,
    http::{Keep, Unread},
};
use rooms::{
    Request, Settings,
    conversation::{Edge, Wanted},
    rate::Rate,
};

use super::{
    at, position, room_name,
    yard::{Visitor, Yard},
};

/// hana in `general`, in which so much was said.
fn yard_with(entries: u64) -> (Yard, Visitor) {
    let mut yard = Yard::new(Settings::default());
    let mut hana = yard.regular("hana");
    for n in 1..=entries {
        yard.takes("general", "hana", &format!("m{n}"), super::post(&format!("{n}")));
    }
    hana.hears_all(&mut yard);
    (yard, hana)
}

#[test]
fn a_page_is_what_stands_before_after_or_at_the_end() {
    let (mut yard, mut hana) = yard_with(120);
    for (edges, limit, seqs) in [
        ((None, None), None, 71..=120),
        ((None, None), Some(100), 21..=120),
        ((Some(71), None), None, 21..=70),
        ((Some(71), None), Some(1), 70..=70),
        ((Some(3), None), None, 1..=2),
        ((None, Some(70)), Some(10), 71..=80),
        ((None, Some(110)), None, 111..=120),
        ((None, Some(0)), Some(2), 1..=2),
    ] {
        hana.pages(&mut yard, "general", edges, limit);
        let heard = hana.hears();
        let [ServerMessage::History { position: head, floor: 0, entries, base, .. }] = &heard[..]
        else {
            panic!("{heard:?}")
        };
        let read: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
        assert_eq!(read, seqs.collect::<Vec<_>>(), "{edges:?}");
        assert_eq!(*head, position("e1", 120));
        let last = *read.last().unwrap();
        let digest = entries.iter().fold(*base, |before, entry| entry.digest_after(before));
        let stands = yard.log.read_after(&room_name("general"), last - 1, 1)[0].digest;
        assert_eq!(digest, stands, "{edges:?}");
    }
}

/// What the conversation asks for after this was said, without anybody doing it.
fn asks(hana: &mut Visitor, message: &ClientMessage) -> Option<Request> {
    hana.conversation.handle_text(&common::encode(message), at(0));
    hana.conversation.poll_request()
}

fn history(before: Option<u64>, after: Option<u64>, limit: Option<u32>) -> ClientMessage {
    let (before, after) = (before.map(|it| position("e1", it)), after.map(|it| position("e1", it)));
    ClientMessage::History { id: 9, room: room_name("general"), before, after, limit }
}

#[test]
fn what_is_wanted_of_a_page_reaches_the_rooms_as_it_was_asked() {
    for (message, edge, most) in [
        (history(None, None, None), Edge::Head, 50),
        (history(None, None, Some(1)), Edge::Head, 1),
        (history(Some(7), None, Some(100)), Edge::Before(position("e1", 7)), 100),
        (history(None, Some(7), Some(99)), Edge::After(position("e1", 7)), 99),
    ] {
        let (_, mut hana) = yard_with(0);
        let wanted = Wanted { edge, most };
        let asked = Request::Page { id: 9, room: room_name("general"), wanted };
        assert_eq!(asks(&mut hana, &message), Some(asked));
    }
}

#[test]
fn a_page_of_none_or_of_more_than_a_hundred_or_with_two_edges_is_refused() {
    let (mut yard, mut hana) = yard_with(3);
    for (edges, limit, pointer) in [
        ((None, None), Some(0), "/limit"),
        ((None, None), Some(101), "/limit"),
        ((Some(3), None), Some(u32::MAX), "/limit"),
        ((Some(3), Some(1)), None, "/after"),
    ] {
        hana.pages(&mut yard, "general", edges, limit);
        let (id, problem) = hana.refusal();
        assert!(id.is_some());
        assert_eq!(problem.code, ErrorCode::Validation);
        let place = &problem.errors[0];
        assert_eq!((place.pointer.as_str(), place.code), (pointer, FieldFault::Invalid));
        assert!(hana.conversation.wants_input(), "no page is awaited");
    }
}

#[test]
fn pages_and_markers_are_for_rooms_that_are_followed() {
    let (mut yard, mut hana) = yard_with(3);
    yard.opens("tech", Keep::Forever);
    hana.pages(&mut yard, "tech", (None, None), None);
    assert_eq!(hana.refusal().1.code, ErrorCode::Forbidden);
    hana.marks(&mut yard, "tech", 0);
    assert_eq!(hana.refusal().1.code, ErrorCode::Forbidden);
    assert!(hana.conversation.wants_input());
}

#[test]
fn nothing_more_is_read_while_a_page_is_awaited() {
    let (_, mut hana) = yard_with(3);
    let Some(Request::Page { id, room, .. }) = asks(&mut hana, &history(None, None, None)) else {
        panic!()
    };
    assert!(!hana.conversation.wants_input());
    hana.conversation.handle_timeout(at(1_000));
    assert!(!hana.conversation.wants_input(), "however long it takes");
    let problem = Problem::new(ErrorCode::CursorExpired);
    hana.conversation.handle_page(id, room, Err(problem), at(1_000));
    assert!(hana.conversation.wants_input());
    assert_eq!(hana.refusal().1.code, ErrorCode::CursorExpired);
}

#[test]
fn a_hundred_pages_and_markers_at_once_then_ten_a_second() {
    let (mut yard, mut hana) = yard_with(3);
    for n in 0..100 {
        if n % 2 == 0 {
            hana.pages(&mut yard, "general", (None, None), Some(1));
        } else {
            hana.marks(&mut yard, "general", 3);
        }
    }
    let heard = hana.hears();
    assert_eq!(heard.len(), 100);
    assert!(!heard.iter().any(|message| matches!(message, ServerMessage::Error { .. })));
    hana.pages(&mut yard, "general", (None, None), None);
    let (_, problem) = hana.refusal();
    assert_eq!((problem.code, problem.retry_after_ms), (ErrorCode::RateLimited, Some(101)));
    assert!(hana.conversation.wants_input(), "a page that was refused is not awaited");
    hana.marks(&mut yard, "general", 3);
    assert_eq!(hana.refusal().1.code, ErrorCode::RateLimited);
    yard.passes(101);
    hana.pages(&mut yard, "general", (None, None), None);
    assert!(matches!(&hana.hears()[..], [ServerMessage::History { .. }]));
}

#[test]
fn what_breaks_a_rule_costs_no_page() {
    let pages = Rate { per_second: 0.1, burst: 1.0 };
    let mut yard = Yard::new(Settings { pages, ..Settings::default() });
    let mut hana = yard.regular("hana");
    hana.pages(&mut yard, "general", (None, None), Some(0));
    hana.pages(&mut yard, "nowhere", (None, None), None);
    assert_eq!(hana.hears().len(), 2);
    hana.pages(&mut yard, "general", (None, None), None);
    assert!(matches!(&hana.hears()[..], [ServerMessage::History { .. }]));
}

#[test]
fn a_marker_is_answered_with_its_id_and_told_without_one() {
    let (mut yard, mut hana) = yard_with(3);
    hana.marks(&mut yard, "general", 2);
    let heard = hana.hears();
    let [ServerMessage::Marked { id: Some(_), unread: Unread { read: 2, .. }, .. }] = &heard[..]
    else {
        panic!("{heard:?}")
    };
    let unread = Unread { read: 3, posts: 0, mentions: 0 };
    hana.conversation.handle_marked(None, room_name("general"), unread);
    let told = ServerMessage::Marked { id: None, room: room_name("general"), unread };
    assert_eq!(hana.hears(), [told]);
}

#[test]
fn what_another_connection_marked_is_dropped_when_much_else_waits_and_the_answer_is_not() {
    let (_, mut hana) = yard_with(0);
    for _ in 0..70 {
        hana.conversation.handle_marked(None, room_name("general"), Unread::default());
    }
    hana.conversation.handle_marked(Some(1), room_name("general"), Unread::default());
    assert_eq!(hana.hears().len(), 65);
}
