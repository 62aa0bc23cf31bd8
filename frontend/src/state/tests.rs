//! The state's rules, told as small stories.

use common::{
    Body, Entry, EntryKind, Epoch, Member, Problem, ResyncReason, Timestamp, UserId, UserName,
    http::Keep,
};

use super::{
    arrange::{Item, arrange},
    room::ROWS_MAX,
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

/// Inside as `me`, with `general` on screen and read up to `read`.
fn inside(read: Option<Position>) -> State {
    let mut state = State { attentive: true, ..State::default() };
    state.apply(Action::Is(member("me")));
    state.apply(Action::Wants(general(), read));
    state.apply(Action::Shows(Some(general())));
    state
}

fn hear(state: &mut State, event: Event, minute: i64) {
    state.apply(Action::Heard(vec![Heard { event, moment: at_minute(minute) }]));
}

fn joined(state: &mut State, epoch: &str, head: u64) {
    let (room, members) = (general(), vec![member("me")]);
    let position = position(epoch, head);
    hear(state, Event::Joined { room, position, recovered: None, members, count: 1 }, 0);
}

fn hears(state: &mut State, author: &str, seq: u64, minute: i64) {
    let entry = Entry {
        room: general(),
        seq,
        at: Timestamp::new("2026-11-20T09:00:00.000Z").unwrap(),
        author: member(author),
        message_id: MessageId::new(format!("{author}-{seq}")).unwrap(),
        kind: EntryKind::Post,
        body: format!("{author} says {seq}"),
    };
    hear(state, Event::Entry { entry }, minute);
}

fn room(state: &State) -> &Room {
    state.room(&general()).unwrap()
}

/// The list in a word for each item.
fn shown(state: &State) -> Vec<String> {
    let items = arrange(room(state), &state.outbox);
    let word = |item: &Item| match item {
        Item::FurtherUp => "further up".to_owned(),
        Item::Day(_) => "day".to_owned(),
        Item::UnreadLine => "unread".to_owned(),
        Item::Notice(notice) => format!("+{} -{}", notice.joined.len(), notice.left.len()),
        Item::Resync { .. } => "resync".to_owned(),
        Item::Said { said, sending, leads } => {
            let mark = if *leads { "> " } else { "" };
            let state = if *sending == Sending::Sent { "" } else { " (waits)" };
            format!("{mark}{}{state}", said.body)
        }
    };
    items.iter().map(word).collect()
}

fn pending(id: &str, body: &str) -> Pending {
    let (message_id, body) = (MessageId::new(id).unwrap(), Body::new(body).unwrap());
    Pending { room: general(), message_id, body, state: PendingState::Queued }
}

#[test]
fn one_author_within_five_minutes_is_one_group() {
    let mut state = inside(None);
    joined(&mut state, "a", 0);
    for (author, seq, minute) in [("ada", 1, 0), ("ada", 2, 4), ("ada", 3, 6), ("bo", 4, 6)] {
        hears(&mut state, author, seq, minute);
    }
    let expected = ["day", "> ada says 1", "ada says 2", "> ada says 3", "> bo says 4"];
    assert_eq!(shown(&state), expected);
}

#[test]
fn another_day_parts_what_one_author_said() {
    let mut state = inside(None);
    joined(&mut state, "a", 0);
    hears(&mut state, "ada", 1, 24 * 60 - 1);
    hears(&mut state, "ada", 2, 24 * 60);
    assert_eq!(shown(&state), ["day", "> ada says 1", "day", "> ada says 2"]);
}

#[test]
fn what_came_while_away_stands_below_the_line() {
    let mut state = inside(Some(position("a", 1)));
    joined(&mut state, "a", 3);
    (1..=3).for_each(|seq| hears(&mut state, "ada", seq, 0));
    assert_eq!(room(&state).unread, 2);
    assert_eq!(shown(&state), ["day", "> ada says 1", "unread", "> ada says 2", "ada says 3"]);
    state.apply(Action::Read(general()));
    assert_eq!(state.unread(), 0);
    state.apply(Action::Shows(None));
    assert_eq!(room(&state).line_after, None);
}

#[test]
fn what_the_page_leaves_out_counts_as_unread() {
    let mut state = inside(Some(position("a", 10)));
    joined(&mut state, "a", 100);
    (51..=100).for_each(|seq| hears(&mut state, "ada", seq, 0));
    assert_eq!(room(&state).unread, 90);
}

#[test]
fn what_was_read_of_another_log_says_nothing() {
    let mut state = inside(Some(position("older", 70)));
    joined(&mut state, "a", 2);
    (1..=2).for_each(|seq| hears(&mut state, "ada", seq, 0));
    assert_eq!(room(&state).unread, 2);
    assert_eq!(shown(&state), ["day", "> ada says 1", "ada says 2"]);
}

#[test]
fn only_news_of_others_in_sight_is_announced() {
    let mut state = inside(None);
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
    let mut state = inside(None);
    joined(&mut state, "a", 0);
    state.apply(Action::Outbox(vec![pending("me-1", "me says 1")]));
    assert_eq!(shown(&state), ["> me says 1 (waits)"]);
    let key = state.outbox[0].said.key.clone();
    let message_id = MessageId::new("me-1").unwrap();
    hear(&mut state, Event::Acked { room: general(), message_id, position: position("a", 1) }, 0);
    state.apply(Action::Outbox(Vec::new()));
    assert_eq!(shown(&state), ["day", "> me says 1"]);
    hears(&mut state, "me", 1, 0);
    assert_eq!(shown(&state), ["day", "> me says 1"]);
    assert!(room(&state).acked.is_empty());
    assert!(matches!(&room(&state).rows[..], [Row::Said(said)] if said.key == key));
}

#[test]
fn an_ack_that_overtakes_entries_of_others_waits_for_them() {
    let mut state = inside(None);
    joined(&mut state, "a", 0);
    state.apply(Action::Outbox(vec![pending("me-2", "me says 2")]));
    let message_id = MessageId::new("me-2").unwrap();
    hear(&mut state, Event::Acked { room: general(), message_id, position: position("a", 2) }, 0);
    state.apply(Action::Outbox(Vec::new()));
    hears(&mut state, "ada", 1, 0);
    assert_eq!(shown(&state), ["day", "> ada says 1", "> me says 2"]);
}

#[test]
fn a_resync_is_a_row_and_what_stood_above_stays() {
    let mut state = inside(None);
    joined(&mut state, "a", 1);
    hears(&mut state, "ada", 1, 0);
    let reason = ResyncReason::EpochChanged;
    hear(&mut state, Event::Resynced { room: general(), reason }, 1);
    joined(&mut state, "b", 1);
    hears(&mut state, "ada", 1, 1);
    assert_eq!(shown(&state), ["day", "> ada says 1", "resync", "> ada says 1"]);
    let keys: Vec<_> = room(&state)
        .rows
        .iter()
        .filter_map(|row| if let Row::Said(said) = row { Some(said.key.clone()) } else { None })
        .collect();
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn who_goes_and_comes_back_at_once_is_one_notice() {
    let mut state = inside(None);
    joined(&mut state, "a", 0);
    let presence = |joined, left| {
        let (room, members) = (general(), None);
        Event::Presence { room, joined, left, members, count: 2 }
    };
    hear(&mut state, presence(vec![member("ada"), member("bo")], vec![]), 0);
    assert_eq!(shown(&state), ["day", "+2 -0"]);
    hear(&mut state, presence(vec![], vec![member("ada").id]), 1);
    assert_eq!(shown(&state), ["day", "+1 -1"]);
    assert_eq!(room(&state).members.len(), 2);
    hear(&mut state, presence(vec![member("ada")], vec![]), 2);
    assert_eq!(shown(&state), ["day", "+2 -0"]);
    hear(&mut state, presence(vec![member("me")], vec![]), 3);
    assert_eq!(shown(&state), ["day", "+2 -0"], "one's own coming is no news");
}

#[test]
fn the_document_holds_a_bounded_number_of_rows_and_says_so() {
    let mut state = inside(None);
    joined(&mut state, "a", 0);
    let last = ROWS_MAX as u64 + 5;
    (1..=last).for_each(|seq| hears(&mut state, "ada", seq, 0));
    assert_eq!(room(&state).rows.len(), ROWS_MAX);
    assert_eq!(room(&state).trimmed, 5);
    assert_eq!(shown(&state)[0], "further up");
}

#[test]
fn what_several_rooms_recover_is_one_notice() {
    let mut state = inside(None);
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
    let mut state = inside(None);
    let problem = Problem::new(ErrorCode::NotFound);
    hear(&mut state, Event::JoinRefused { room: general(), problem }, 0);
    assert_eq!(room(&state).standing, Standing::Refused(ErrorCode::NotFound));
    state.apply(Action::Wants(general(), None));
    assert_eq!(room(&state).standing, Standing::Joining);
    let problem = Problem::new(ErrorCode::NotFound);
    hear(&mut state, Event::JoinRefused { room: general(), problem }, 0);
    state.apply(Action::Shows(None));
    assert!(state.rooms.is_empty());
}

#[test]
fn a_private_room_has_a_companion() {
    let mut state = inside(None);
    let members = Some(vec![member("me"), member("ada")]);
    let info = RoomInfo {
        room: general(),
        position: position("a", 0),
        keep: Keep::Forever,
        count: 1,
        members,
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
    let mut state = inside(None);
    state.apply(Action::Theme(Theme::Dark));
    state.apply(Action::SignedOut);
    assert!(state.rooms.is_empty() && state.me.is_none() && state.current.is_none());
    assert_eq!(state.theme, Theme::Dark);
    assert_eq!(state.stage, Stage::Naming { trouble: None, busy: false });
}
