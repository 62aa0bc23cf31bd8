//! The state's rules, told as small stories.

use common::{
    Body, Entry, EntryKind, Epoch, Member, MessageId, Problem, ResyncReason, Timestamp, UserId,
    UserName,
    http::{Keep, Unread},
};
use session::{Content, Edge, Event, Pending, PendingState};

use super::{
    arrange::{Item, arrange},
    window::ROWS_MAX,
    *,
};

const MINUTE_MS: i64 = 60_000;

fn general() -> RoomName {
    RoomName::new("general").unwrap()
}

fn member(name: &str) -> Member {
    Member { id: UserId::new(format!("u-{name}")).unwrap(), name: UserName::new(name).unwrap() }
}

fn position(epoch: &str, seq: u64) -> Position {
    Position { epoch: Epoch::new(epoch).unwrap(), seq }
}

fn at_minute(minute: i64) -> Moment {
    Moment { ms: minute * MINUTE_MS, day: i32::try_from(minute / (24 * 60)).unwrap() }
}

/// Inside as `me`, with `general` on screen.
fn inside() -> State {
    let mut state = State { attentive: true, ..State::default() };
    state.apply(Action::Is(member("me")));
    state.apply(Action::Wants(general()));
    state.apply(Action::Shows(Some(general())));
    state
}

/// The server lists the room: its log ends at `head`, and so much of it is unread.
fn is_told(state: &mut State, head: Position, unread: Option<Unread>) {
    let (topic, members, count) = (Some("lunch".to_owned()), None, 1);
    let (room, position, keep) = (general(), head, Keep::Forever);
    let info = RoomInfo { room, position, keep, count, members, topic, unread };
    state.apply(Action::Listed(vec![info]));
}

fn unread(read: u64, posts: u32) -> Option<Unread> {
    Some(Unread { read, posts, mentions: 0 })
}

fn hear(state: &mut State, event: Event, minute: i64) {
    let mut past = Vec::new();
    if let Event::History { entries, .. } = &event {
        past = vec![at_minute(minute); entries.len()];
    }
    state.apply(Action::Heard(vec![Heard { event, moment: at_minute(minute), past }]));
}

fn joined(state: &mut State, epoch: &str, head: u64) {
    let (room, members) = (general(), vec![member("me")]);
    let position = position(epoch, head);
    let (recovered, count, floor) = (None, 1, 0);
    hear(state, Event::Joined { room, position, recovered, members, count, floor }, 0);
}

fn hears(state: &mut State, author: &str, seq: u64, minute: i64) {
    hear(state, Event::Entry { entry: said(author, seq) }, minute);
}

fn said(author: &str, seq: u64) -> Entry {
    Entry {
        room: general(),
        seq,
        at: Timestamp::new("2026-11-20T09:00:00.000Z").unwrap(),
        author: member(author),
        message_id: MessageId::new(format!("{author}-{seq}")).unwrap(),
        kind: EntryKind::Post,
        of: None,
        member: None,
        body: format!("{author} says {seq}"),
        erased: None,
    }
}

fn changes(kind: EntryKind, author: &str, seq: u64, of: u64, body: &str) -> Entry {
    Entry { kind, of: Some(of), body: body.to_owned(), ..said(author, seq) }
}

/// A page of Ada's.
fn page(edge: Edge, seqs: std::ops::RangeInclusive<u64>, head: u64) -> Event {
    let (room, head, floor) = (general(), position("a", head), 0);
    let entries = seqs.map(|seq| said("ada", seq)).collect();
    Event::History {
        room,
        edge,
        head,
        floor,
        entries,
        later: vec![],
        proof: session::Proof::Proven,
    }
}

fn before(seq: u64) -> Edge {
    Edge::Before(position("a", seq))
}

fn after(seq: u64) -> Edge {
    Edge::After(position("a", seq))
}

fn room(state: &State) -> &Room {
    state.room(&general()).unwrap()
}

/// The list in a word for each item.
fn shown(state: &State) -> Vec<String> {
    let items = arrange(room(state), &state.outbox);
    let word = |item: &Item| match item {
        Item::Above(End::Beginning) => "beginning".to_owned(),
        Item::Above(end) => format!("above: {end:?}"),
        Item::Below(end) => format!("below: {end:?}"),
        Item::Done(done) => format!("done: {}", done.text),
        Item::Day(_) => "day".to_owned(),
        Item::UnreadLine => "unread".to_owned(),
        Item::Notice(notice) => format!("+{} -{}", notice.joined.len(), notice.left.len()),
        Item::Break { hole: Some((end, _)), .. } => format!("hole: {end:?}"),
        Item::Break { hole: None, .. } => "break".to_owned(),
        Item::Said { said, sending, leads } => {
            let mark = if *leads { "> " } else { "" };
            let state = if *sending == Sending::Sent { "" } else { " (waits)" };
            let body = if said.deleted { "(deleted)" } else { &said.body };
            format!("{mark}{body}{state}")
        }
    };
    items.iter().map(word).collect()
}

fn pending(id: &str, body: &str) -> Pending {
    let content = Content::Post(Body::new(body).unwrap());
    waits(id, content)
}

fn waits(id: &str, content: Content) -> Pending {
    let message_id = MessageId::new(id).unwrap();
    Pending { room: general(), message_id, content, state: PendingState::Queued }
}

#[test]
fn one_author_within_five_minutes_is_one_group() {
    let mut state = inside();
    joined(&mut state, "a", 0);
    for (author, seq, minute) in [("ada", 1, 0), ("ada", 2, 4), ("ada", 3, 6), ("bo", 4, 6)] {
        hears(&mut state, author, seq, minute);
    }
    let expected =
        ["beginning", "day", "> ada says 1", "ada says 2", "> ada says 3", "> bo says 4"];
    assert_eq!(shown(&state), expected);
}

#[test]
fn another_day_parts_what_one_author_said() {
    let mut state = inside();
    joined(&mut state, "a", 0);
    hears(&mut state, "ada", 1, 24 * 60 - 1);
    hears(&mut state, "ada", 2, 24 * 60);
    assert_eq!(shown(&state), ["beginning", "day", "> ada says 1", "day", "> ada says 2"]);
}

#[test]
fn what_came_while_away_stands_below_the_line() {
    let mut state = inside();
    is_told(&mut state, position("a", 3), unread(1, 2));
    joined(&mut state, "a", 3);
    (1..=3).for_each(|seq| hears(&mut state, "ada", seq, 0));
    assert_eq!(room(&state).unread, 2);
    let expected = ["beginning", "day", "> ada says 1", "unread", "> ada says 2", "ada says 3"];
    assert_eq!(shown(&state), expected);
    state.apply(Action::Read(general()));
    assert_eq!(state.unread(), 0);
    state.apply(Action::Shows(None));
    assert_eq!(room(&state).line_after, None);
}

#[test]
fn the_list_of_rooms_may_come_before_or_after_the_room_and_what_comes_then_is_counted() {
    for told_first in [true, false] {
        let mut state = inside();
        let tell = |state: &mut State| is_told(state, position("a", 60), unread(10, 50));
        if told_first {
            tell(&mut state);
        }
        joined(&mut state, "a", 60);
        (11..=60).for_each(|seq| hears(&mut state, "ada", seq, 0));
        hears(&mut state, "ada", 61, 0);
        if !told_first {
            tell(&mut state);
        }
        assert_eq!(room(&state).unread, 51, "told first: {told_first}");
        assert_eq!(room(&state).line_after, Some((1, 10)));
    }
}

#[test]
fn what_was_read_elsewhere_is_read_here() {
    let mut state = inside();
    is_told(&mut state, position("a", 3), unread(0, 3));
    joined(&mut state, "a", 3);
    let marked = Event::Marked { room: general(), unread: Unread { read: 3, ..Unread::default() } };
    hear(&mut state, marked, 0);
    assert_eq!(state.unread(), 0);
}

#[test]
fn what_was_read_of_another_log_says_nothing() {
    let mut state = inside();
    is_told(&mut state, position("older", 70), unread(70, 0));
    joined(&mut state, "a", 2);
    (1..=2).for_each(|seq| hears(&mut state, "ada", seq, 0));
    assert_eq!(shown(&state), ["beginning", "day", "> ada says 1", "ada says 2"]);
}

#[test]
fn who_is_mentioned_is_told_apart() {
    let mut state = inside();
    is_told(&mut state, position("a", 0), unread(0, 0));
    joined(&mut state, "a", 0);
    state.apply(Action::Shows(None));
    for (seq, body) in [(1, "hi @me!"), (2, "hi @menno"), (3, "hi")] {
        hear(
            &mut state,
            Event::Entry { entry: Entry { body: body.into(), ..said("ada", seq) } },
            0,
        );
    }
    assert_eq!((room(&state).unread, room(&state).mentions), (3, 1));
}

#[test]
fn only_news_of_others_in_sight_is_announced() {
    let mut state = inside();
    joined(&mut state, "a", 1);
    hears(&mut state, "ada", 1, 0);
    assert_eq!(state.announcement, None, "history is not announced");
    hears(&mut state, "me", 2, 0);
    assert_eq!(state.announcement, None, "one's own words are not announced");
    hears(&mut state, "ada", 3, 0);
    assert_eq!(state.announcement.as_deref(), Some("ada: ada says 3"));
}

#[test]
fn a_pending_message_keeps_its_place_and_key_until_it_is_real() {
    let mut state = inside();
    joined(&mut state, "a", 0);
    state.apply(Action::Outbox(vec![pending("me-1", "me says 1")]));
    assert_eq!(shown(&state), ["> me says 1 (waits)"]);
    let key = state.outbox[0].said.key.clone();
    let message_id = MessageId::new("me-1").unwrap();
    hear(&mut state, Event::Acked { room: general(), message_id, position: position("a", 1) }, 0);
    state.apply(Action::Outbox(Vec::new()));
    assert_eq!(shown(&state), ["day", "> me says 1"]);
    hears(&mut state, "me", 1, 0);
    assert_eq!(shown(&state), ["beginning", "day", "> me says 1"]);
    assert!(room(&state).acked.is_empty());
    assert!(room(&state).said().all(|said| said.key == key));
}

#[test]
fn an_ack_that_overtakes_entries_of_others_waits_for_them() {
    let mut state = inside();
    joined(&mut state, "a", 0);
    state.apply(Action::Outbox(vec![pending("me-2", "me says 2")]));
    let message_id = MessageId::new("me-2").unwrap();
    hear(&mut state, Event::Acked { room: general(), message_id, position: position("a", 2) }, 0);
    state.apply(Action::Outbox(Vec::new()));
    hears(&mut state, "ada", 1, 0);
    assert_eq!(shown(&state), ["beginning", "day", "> ada says 1", "> me says 2"]);
}

#[test]
fn a_resync_is_a_row_and_what_stood_above_stays() {
    let mut state = inside();
    joined(&mut state, "a", 1);
    hears(&mut state, "ada", 1, 0);
    let reason = ResyncReason::EpochChanged;
    let after = position("b", 0);
    hear(&mut state, Event::Resynced { room: general(), reason, after }, 1);
    joined(&mut state, "b", 1);
    hears(&mut state, "ada", 1, 1);
    assert_eq!(shown(&state), ["day", "> ada says 1", "break", "> ada says 1"]);
    let keys: Vec<_> = room(&state).said().map(|said| said.key.clone()).collect();
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn who_goes_and_comes_back_at_once_is_one_notice() {
    let mut state = inside();
    joined(&mut state, "a", 0);
    let presence = |joined, left| {
        let (room, members) = (general(), None);
        Event::Presence { room, joined, left, members, count: 2 }
    };
    hear(&mut state, presence(vec![member("ada"), member("bo")], vec![]), 0);
    assert_eq!(shown(&state), ["beginning", "day", "+2 -0"]);
    hear(&mut state, presence(vec![], vec![member("ada").id]), 1);
    assert_eq!(shown(&state), ["beginning", "day", "+1 -1"]);
    assert_eq!(room(&state).members.len(), 2);
    hear(&mut state, presence(vec![member("ada")], vec![]), 2);
    assert_eq!(shown(&state), ["beginning", "day", "+2 -0"]);
    hear(&mut state, presence(vec![member("me")], vec![]), 3);
    assert_eq!(shown(&state), ["beginning", "day", "+2 -0"], "one's own coming is no news");
}

#[test]
fn what_several_rooms_recover_is_one_notice() {
    let mut state = inside();
    hear(&mut state, Event::Recovered { room: general(), count: 0 }, 0);
    assert_eq!(state.recovered, None);
    hear(&mut state, Event::Recovered { room: general(), count: 2 }, 0);
    hear(&mut state, Event::Recovered { room: general(), count: 3 }, 0);
    let recovered = state.recovered.unwrap();
    assert_eq!(recovered.count, 5);
    state.apply(Action::RecoveredSeen(recovered.notice - 1));
    assert!(state.recovered.is_some(), "an older notice's timer dismisses nothing");
    state.apply(Action::RecoveredSeen(recovered.notice));
    assert_eq!(state.recovered, None);
}

#[test]
fn a_refused_room_goes_when_one_turns_away() {
    let mut state = inside();
    let problem = Problem::new(ErrorCode::NotFound);
    hear(&mut state, Event::JoinRefused { room: general(), problem }, 0);
    assert_eq!(room(&state).standing, Standing::Refused(ErrorCode::NotFound));
    state.apply(Action::Wants(general()));
    assert_eq!(room(&state).standing, Standing::Joining);
    let problem = Problem::new(ErrorCode::NotFound);
    hear(&mut state, Event::JoinRefused { room: general(), problem }, 0);
    state.apply(Action::Shows(None));
    assert!(state.rooms.is_empty());
}

#[test]
fn a_private_room_has_a_companion() {
    let mut state = inside();
    let members = Some(vec![member("me"), member("ada")]);
    let info = RoomInfo {
        room: general(),
        position: position("a", 0),
        keep: Keep::Forever,
        count: 1,
        members,
        topic: None,
        unread: None,
    };
    hear(&mut state, Event::Opened { room: info }, 0);
    assert_eq!(state.companion(&general()), Some(&member("ada")));
}

#[test]
fn the_link_is_down_since_it_was_last_open() {
    let mut state = State::default();
    for (link, now, expected) in [
        (Link::Connecting, 10, Some(10)),
        (Link::Waiting { until: 900 }, 20, Some(10)),
        (Link::Open, 30, None),
        (Link::Waiting { until: 900 }, 40, Some(40)),
        (Link::Connecting, 50, Some(40)),
    ] {
        state.apply(Action::Link(link, now));
        assert_eq!(state.down_since, expected);
    }
}

#[test]
fn whoever_signs_out_leaves_nothing_but_language_and_colours() {
    let mut state = inside();
    state.apply(Action::Theme(Theme::Dark));
    state.apply(Action::SignedOut);
    assert!(state.rooms.is_empty() && state.me.is_none() && state.current.is_none());
    assert_eq!(state.theme, Theme::Dark);
    assert_eq!(state.stage, Stage::Naming { trouble: None, busy: false });
}

mod past;

mod search;
