//! What the browser keeps over a reload. Where it keeps nothing the page works all the same.

use std::collections::BTreeSet;

use common::{Body, Epoch, ErrorCode, MessageId, Position, Problem, RoomName, UserName};
use session::{Pending, PendingState};
use web_sys::Storage;

use crate::{browser::window, i18n::Language, state::Theme};

const OUTBOX: &str = "madang.outbox.";
const DRAFT: &str = "madang.draft.";
const READ: &str = "madang.read.";
const ROOMS: &str = "madang.rooms";
const LAST: &str = "madang.last";
const NAME: &str = "madang.name";
const ENTERED: &str = "madang.entered";
const LANGUAGE: &str = "madang.language";
const THEME: &str = "madang.theme";

/// Keeps a message: its id in the key; its room, which code refused it or nothing, and
/// its text on the lines of the value. Says whether the browser did.
#[must_use]
pub fn keep_pending(pending: &Pending) -> bool {
    let failed = match &pending.state {
        PendingState::Queued | PendingState::Sending => String::new(),
        PendingState::Failed(problem) => code_name(problem.code).to_string(),
    };
    let value = format!("{}\n{failed}\n{}", pending.room, pending.body);
    write(&format!("{OUTBOX}{}", pending.message_id), &value)
}

/// A message is with the server, or was discarded.
pub fn forget_pending(message_id: &MessageId) {
    remove(&format!("{OUTBOX}{message_id}"));
}

/// The messages that were kept, oldest first: their ids begin with the time they were made.
#[must_use]
pub fn pending() -> Vec<Pending> {
    let mut keys = keys(OUTBOX);
    keys.sort_unstable();
    keys.iter().filter_map(|key| pending_at(key)).collect()
}

fn pending_at(key: &str) -> Option<Pending> {
    let value = read(key)?;
    let mut lines = value.splitn(3, '\n');
    let (room, failed, body) = (lines.next()?, lines.next()?, lines.next()?);
    let state = match failed {
        "" => PendingState::Queued,
        name => PendingState::Failed(Problem::new(code_named(name))),
    };
    Some(Pending {
        room: RoomName::new(room).ok()?,
        message_id: MessageId::new(key.strip_prefix(OUTBOX)?).ok()?,
        body: Body::new(body).ok()?,
        state,
    })
}

/// The code's place in the list of all; a list that grew since then only makes the reason vague.
fn code_name(code: ErrorCode) -> usize {
    ErrorCode::ALL.iter().position(|known| *known == code).unwrap_or(ErrorCode::ALL.len())
}

fn code_named(name: &str) -> ErrorCode {
    let place: Option<usize> = name.parse().ok();
    place.and_then(|place| ErrorCode::ALL.get(place).copied()).unwrap_or(ErrorCode::Unknown)
}

/// What is being written in a room; nothing forgets it.
pub fn keep_draft(room: &RoomName, text: &str) {
    let key = format!("{DRAFT}{room}");
    if text.is_empty() {
        remove(&key);
    } else {
        let _ = write(&key, text);
    }
}

/// What was being written in a room.
#[must_use]
pub fn draft(room: &RoomName) -> String {
    read(&format!("{DRAFT}{room}")).unwrap_or_default()
}

/// Keeps how far a room was read.
pub fn keep_read(room: &RoomName, position: &Position) {
    let _ = write(&format!("{READ}{room}"), &format!("{} {}", position.epoch, position.seq));
}

/// How far a room was read.
#[must_use]
pub fn read_position(room: &RoomName) -> Option<Position> {
    let text = read(&format!("{READ}{room}"))?;
    let (epoch, seq) = text.split_once(' ')?;
    Some(Position { epoch: Epoch::new(epoch).ok()?, seq: seq.parse().ok()? })
}

/// Keeps which rooms are this person's.
pub fn keep_rooms(rooms: &BTreeSet<RoomName>) {
    let names: Vec<&str> = rooms.iter().map(RoomName::as_str).collect();
    let _ = write(ROOMS, &names.join("\n"));
}

/// This person's rooms.
#[must_use]
pub fn rooms() -> BTreeSet<RoomName> {
    let text = read(ROOMS).unwrap_or_default();
    text.lines().filter_map(|name| RoomName::new(name).ok()).collect()
}

/// Keeps which room was open.
pub fn keep_last_room(room: &RoomName) {
    let _ = write(LAST, room.as_str());
}

/// The room that was open.
#[must_use]
pub fn last_room() -> Option<RoomName> {
    RoomName::new(read(LAST)?).ok()
}

/// Keeps what the person is called, and that they are inside.
pub fn keep_name(name: &UserName) {
    let _ = write(NAME, name.as_str());
    let _ = write(ENTERED, "1");
}

/// What the person was called.
#[must_use]
pub fn name() -> Option<UserName> {
    UserName::new(read(NAME)?).ok()
}

/// Whether the person was inside and did not sign out.
#[must_use]
pub fn was_inside() -> bool {
    read(ENTERED).is_some()
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

/// The person signed out: only name, language and colours stay.
pub fn forget_person() {
    let prefixed = [OUTBOX, DRAFT, READ].into_iter().flat_map(keys);
    prefixed.chain([ROOMS, LAST, ENTERED].map(str::to_owned)).for_each(|key| remove(&key));
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
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

fn keys(prefix: &str) -> Vec<String> {
    let Some(storage) = storage() else { return Vec::new() };
    let count = storage.length().unwrap_or(0);
    (0..count)
        .filter_map(|index| storage.key(index).ok().flatten())
        .filter(|key| key.starts_with(prefix))
        .collect()
}
