//! What the browser keeps over a reload. Where it keeps nothing the page works all the same.
//!
//! Two windows may be two people: what belongs to a person is kept under the person's name, so
//! that nobody sends what somebody else wrote.

pub mod seats;

use std::cell::RefCell;

use common::{
    Body, Emoji, Epoch, ErrorCode, MessageId, Position, Problem, RoomName, Topic, UserName,
};
use session::{Content, Pending, PendingState};
use web_sys::Storage;

use crate::{
    browser::window,
    i18n::Language,
    state::{Theme, text::number},
};
pub use seats::Seat;
use seats::Seats;

// Of a person.
const OUTBOX: &str = "madang.outbox.";
const DRAFT: &str = "madang.draft.";
const EDIT: &str = "madang.edit.";
const ROOMS: &str = "madang.rooms.";
const LAST: &str = "madang.last.";
// Of the browser.
const SEATS: &str = "madang.seats";
const NAME: &str = "madang.name";
const LANGUAGE: &str = "madang.language";
const THEME: &str = "madang.theme";
// Of the window.
const SEAT: &str = "madang.seat";

thread_local! {
    /// Whose things are read and kept.
    static PERSON: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The key of something that belongs to the person. A name has no line break in it.
fn own(kind: &str, rest: &str) -> String {
    PERSON.with_borrow(|person| [kind, person, "\n", rest].concat())
}

/// Keeps a message: its id in the key; its room, how it stands and its text on the lines of the
/// value. How it stands is which code refused it or nothing and, of what is no post, what it is
/// and which entry it changes. Says whether the browser did.
#[must_use]
pub fn keep_pending(pending: &Pending) -> bool {
    let failed = match &pending.state {
        PendingState::Queued | PendingState::Sending => String::new(),
        PendingState::Failed(problem) => number(code_place(problem.code) as u64),
    };
    let content = &pending.content;
    let kind = match content {
        Content::Post(_) => "",
        Content::Edit { .. } => " e ",
        Content::Delete { .. } => " d ",
        Content::Reaction { .. } => " r ",
        Content::Topic(_) => " t ",
    };
    let of = content.of().map(position_line).unwrap_or_default();
    let room = pending.room.as_str();
    let value = [room, "\n", &failed, kind, &of, "\n", content.text()].concat();
    write(&own(OUTBOX, pending.message_id.as_str()), &value)
}

/// A message is with the server, or was discarded.
pub fn forget_pending(message_id: &MessageId) {
    remove(&own(OUTBOX, message_id.as_str()));
}

/// The messages that were kept, oldest first: their ids begin with the time they were made.
#[must_use]
pub fn pending() -> Vec<Pending> {
    let prefix = own(OUTBOX, "");
    keys(&prefix).iter().filter_map(|key| pending_at(key, key.strip_prefix(&prefix)?)).collect()
}

fn pending_at(key: &str, message_id: &str) -> Option<Pending> {
    let value = read(key)?;
    let mut lines = value.splitn(3, '\n');
    let (room, stands, text) = (lines.next()?, lines.next()?, lines.next()?);
    let mut words = stands.splitn(3, ' ');
    let state = match words.next()? {
        "" => PendingState::Queued,
        place => PendingState::Failed(Problem::new(code_at(place))),
    };
    let (kind, of) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let of = position(of);
    let content = match kind {
        "e" => Content::Edit { of: of?, body: Body::new(text).ok()? },
        "d" => Content::Delete { of: of? },
        "r" => Content::Reaction { of: of?, emoji: Emoji::new(text).ok()? },
        "t" => Content::Topic(Topic::new(text).ok()?),
        _ => Content::Post(Body::new(text).ok()?),
    };
    let room = RoomName::new(room).ok()?;
    Some(Pending { room, message_id: MessageId::new(message_id).ok()?, content, state })
}

fn position_line(position: &Position) -> String {
    [position.epoch.as_str(), " ", &number(position.seq)].concat()
}

fn position(line: &str) -> Option<Position> {
    let (epoch, seq) = line.split_once(' ')?;
    Some(Position { epoch: Epoch::new(epoch).ok()?, seq: seq.parse().ok()? })
}

/// The code's place in the list of all; a list that grew since then only makes the reason vague.
fn code_place(code: ErrorCode) -> usize {
    ErrorCode::ALL.iter().position(|known| *known == code).unwrap_or(ErrorCode::ALL.len())
}

fn code_at(place: &str) -> ErrorCode {
    let place: Option<usize> = place.parse().ok();
    place.and_then(|place| ErrorCode::ALL.get(place).copied()).unwrap_or(ErrorCode::Unknown)
}

/// What is being written in a room; nothing forgets it.
pub fn keep_draft(room: &RoomName, text: &str) {
    let key = own(DRAFT, room.as_str());
    if text.is_empty() {
        remove(&key);
    } else {
        let _ = write(&key, text);
    }
}

/// What was being written in a room.
#[must_use]
pub fn draft(room: &RoomName) -> String {
    read(&own(DRAFT, room.as_str())).unwrap_or_default()
}

/// What a message is to say once its edit is sent; an edit that is given up or sent is forgotten.
pub fn keep_edit(room: &RoomName, edit: Option<(&Position, &str)>) {
    let key = own(EDIT, room.as_str());
    match edit {
        Some((of, text)) => {
            let _ = write(&key, &[&position_line(of), "\n", text].concat());
        }
        None => remove(&key),
    }
}

/// The message of a room that was being said otherwise, and how.
#[must_use]
pub fn edit(room: &RoomName) -> Option<(Position, String)> {
    let value = read(&own(EDIT, room.as_str()))?;
    let (of, text) = value.split_once('\n')?;
    Some((position(of)?, text.to_owned()))
}

/// Keeps which rooms are this person's.
pub fn keep_rooms(rooms: &[RoomName]) {
    let names: Vec<&str> = rooms.iter().map(RoomName::as_str).collect();
    let _ = write(&own(ROOMS, ""), &names.join("\n"));
}

/// This person's rooms.
#[must_use]
pub fn rooms() -> Vec<RoomName> {
    let text = read(&own(ROOMS, "")).unwrap_or_default();
    text.lines().filter_map(|name| RoomName::new(name).ok()).collect()
}

/// Keeps which room was open.
pub fn keep_last_room(room: &RoomName) {
    let _ = write(&own(LAST, ""), room.as_str());
}

/// The room that was open.
#[must_use]
pub fn last_room() -> Option<RoomName> {
    RoomName::new(read(&own(LAST, ""))?).ok()
}

/// The name that was given last in any window.
#[must_use]
pub fn name() -> Option<UserName> {
    UserName::new(read(NAME)?).ok()
}

/// The seat that this window had before the reload, if it is still its own.
#[must_use]
pub fn kept_seat() -> Option<Seat> {
    let line = window_storage()?.get_item(SEAT).ok().flatten()?;
    Seat::from_line(&line).filter(holds)
}

/// Whether no other name took the seat, and nobody signed out there.
#[must_use]
pub fn holds(seat: &Seat) -> bool {
    seats().holds(seat)
}

/// The seat of a name, held from here on. Says whether the name had it before.
#[must_use]
pub fn take_seat(name: &UserName) -> (Seat, bool) {
    let mut seats = seats();
    let seat = seats.choose(name);
    let known = seats.holds(&seat);
    seats.sit(seat.clone());
    keep_seats(&seats);
    (seat, known)
}

/// This window is this person from here on, also after a reload.
pub fn sit(seat: &Seat) {
    PERSON.set(seat.name.as_str().to_owned());
    let mut seats = seats();
    seats.sit(seat.clone());
    keep_seats(&seats);
    let _ = write(NAME, seat.name.as_str());
    if let Some(storage) = window_storage() {
        let _ = storage.set_item(SEAT, &seat.to_line());
    }
}

/// Nobody has the seat any more.
pub fn free_seat(seat: &Seat) {
    let mut seats = seats();
    seats.free(seat);
    keep_seats(&seats);
}

fn seats() -> Seats {
    Seats::from_text(&read(SEATS).unwrap_or_default())
}

fn keep_seats(seats: &Seats) {
    let _ = write(SEATS, &seats.to_text());
}

/// Keeps the language.
pub fn keep_language(language: Language) {
    let _ = write(LANGUAGE, language.tag());
}

/// The language that was chosen.
#[must_use]
pub fn language() -> Option<Language> {
    read(LANGUAGE).map(|tag| Language::from_tag(&tag))
}

/// Keeps the colours.
pub fn keep_theme(theme: Theme) {
    match theme.attribute() {
        Some(name) => {
            let _ = write(THEME, name);
        }
        None => remove(THEME),
    }
}

/// The colours that were chosen.
#[must_use]
pub fn theme() -> Theme {
    match read(THEME).as_deref() {
        Some("light") => Theme::Light,
        Some("dark") => Theme::Dark,
        Some(_) | None => Theme::System,
    }
}

/// The person signed out: of theirs nothing stays.
pub fn forget_person() {
    let kinds = [OUTBOX, DRAFT, EDIT, ROOMS, LAST].into_iter();
    kinds.flat_map(|kind| keys(&own(kind, ""))).for_each(|key| remove(&key));
    if let Some(storage) = window_storage() {
        let _ = storage.remove_item(SEAT);
    }
}

/// Shared by all windows.
fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// This window's own.
fn window_storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

fn read(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

fn write(key: &str, value: &str) -> bool {
    storage().is_some_and(|storage| storage.set_item(key, value).is_ok())
}

fn remove(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(key);
    }
}

/// In their order. The browser has none.
fn keys(prefix: &str) -> Vec<String> {
    let Some(storage) = storage() else { return Vec::new() };
    let mut keys: Vec<String> = Vec::new();
    for index in 0..storage.length().unwrap_or(0) {
        let key = storage.key(index).ok().flatten();
        if let Some(key) = key.filter(|key| key.starts_with(prefix)) {
            keys.insert(keys.partition_point(|earlier| *earlier < key), key);
        }
    }
    keys
}
