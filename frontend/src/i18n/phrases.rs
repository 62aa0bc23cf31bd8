//! Texts with parts that change.

use common::{ErrorCode, UserName};

use crate::state::text::number;

use super::{Language, Particle, with_particle};

/// Names in one notice; the others are counted.
const NAMES_MAX: usize = 3;

impl Language {
    /// After a resume.
    #[must_use]
    pub fn recovered(self, count: u64) -> String {
        match (self, count) {
            (Self::English, 1) => "1 message recovered, none missing.".to_owned(),
            (Self::Korean | Self::English, _) => self.counted(
                "메시지 #개를 되찾았습니다. 빠진 것은 없습니다.",
                "# messages recovered, none missing.",
                count,
            ),
        }
    }

    /// Until the next attempt.
    #[must_use]
    pub fn next_attempt(self, seconds: u64) -> String {
        self.counted("#초 뒤에 다시 연결합니다.", "Trying again in # s.", seconds)
    }

    /// The server closed for good, with a code that has no text of its own.
    #[must_use]
    pub fn stopped(self, code: u16) -> String {
        let (korean, english) =
            ("서버가 연결을 닫았습니다(코드 #).", "The server closed the connection (code #).");
        self.counted(korean, english, code)
    }

    /// On the button that jumps to the newest message.
    #[must_use]
    pub fn jump_to_newest(self, count: u32) -> String {
        match count {
            0 => self.pick("최근 메시지로", "Jump to newest").to_owned(),
            _ => self.counted("새 메시지 #개", "Jump to newest (#)", count),
        }
    }

    /// What a badge of unread messages says to a screen reader.
    #[must_use]
    pub fn unread(self, count: u32) -> String {
        self.counted("읽지 않은 메시지 #개", "# unread", count)
    }

    /// What a badge of mentions says to a screen reader.
    #[must_use]
    pub fn mentions(self, count: u32) -> String {
        let english = if count == 1 { "mentions you once" } else { "mentions you # times" };
        self.counted("나를 부른 메시지 #개", english, count)
    }

    /// So many messages are here as the server has them.
    #[must_use]
    pub fn proven(self, count: u64) -> String {
        let english =
            if count == 1 { "# message, none missing" } else { "# messages, none missing" };
        self.counted("메시지 #개, 빠진 것 없음", english, count)
    }

    /// Somebody said what the room is about.
    #[must_use]
    pub fn topic_set(self, author: &str, topic: &str) -> String {
        if topic.is_empty() {
            return self.filled("# 님이 주제를 지웠습니다", "# cleared the topic", author);
        }
        self.filled("# 님이 주제를 정했습니다: ", "# set the topic: ", author) + topic
    }

    /// Somebody belongs to the room for good, or does no longer.
    #[must_use]
    pub fn membership(self, member: &str, change: &str) -> String {
        let (korean, english) = match change {
            "joined" => ("# 님이 구성원이 되었습니다", "# became a member"),
            "left" => ("# 님이 방을 떠났습니다", "# left the room for good"),
            _ => ("# 님이 방에서 내보내졌습니다", "# was removed from the room"),
        };
        self.filled(korean, english, member)
    }

    /// How many people are present.
    #[must_use]
    pub fn present(self, count: u32) -> String {
        self.counted("#명", if count == 1 { "# person" } else { "# people" }, count)
    }

    /// Beyond those who are listed.
    #[must_use]
    pub fn and_others(self, count: u32) -> String {
        self.counted("그 밖에 #명", "and # more", count)
    }

    /// A room does not exist.
    #[must_use]
    pub fn room_missing(self, room: &str) -> String {
        match self {
            Self::Korean => fill("# 아직 없습니다", &with_particle(room, Particle::Subject)),
            Self::English => fill("There is no room ‘#’", room),
        }
    }

    /// The composer's placeholder.
    #[must_use]
    pub fn write_to(self, place: &str) -> String {
        self.filled("#에 메시지 쓰기", "Write to #", place)
    }

    /// The composer's placeholder in a private room.
    #[must_use]
    pub fn write_to_person(self, name: &str) -> String {
        self.filled("# 님에게 메시지 쓰기", "Write to #", name)
    }

    /// The text is over the limit.
    #[must_use]
    pub fn too_long(self, over: u64) -> String {
        self.counted("너무 깁니다. #자를 줄여 주세요.", "Too long by # characters.", over)
    }

    /// Nothing was found.
    #[must_use]
    pub fn found_nothing(self, words: &str) -> String {
        self.filled("‘#’ — 찾은 말이 없습니다.", "Nothing found for ‘#’.", words)
    }

    /// So much was found, and perhaps there is more.
    #[must_use]
    pub fn found(self, count: usize, more: bool) -> String {
        let (korean, english) = match (more, count) {
            (true, _) => ("최근 #개", "The newest #"),
            (false, 1) => ("#개 찾음", "# message found"),
            (false, _) => ("#개 찾음", "# messages found"),
        };
        self.counted(korean, english, count as u64)
    }

    /// Too much was asked.
    #[must_use]
    pub fn search_again_in(self, seconds: u64) -> String {
        self.counted(
            "너무 빠릅니다. #초 뒤에 다시 찾아 주세요.",
            "Too fast. Search again in # s.",
            seconds,
        )
    }

    /// A message was not taken.
    #[must_use]
    pub fn failed(self, code: ErrorCode) -> String {
        self.filled("보내지 못했습니다: #", "Not sent: #", self.refusal(code))
    }

    /// People came.
    #[must_use]
    pub fn joined(self, names: &[UserName]) -> String {
        self.filled("# 들어왔습니다", "# joined", &self.names(names))
    }

    /// People went.
    #[must_use]
    pub fn left(self, names: &[UserName]) -> String {
        self.filled("# 나갔습니다", "# left", &self.names(names))
    }

    fn names(self, names: &[UserName]) -> String {
        let mut named = String::new();
        for name in names.iter().take(NAMES_MAX) {
            named.push_str(if named.is_empty() { "" } else { ", " });
            named.push_str(name.as_str());
        }
        let others = names.len().saturating_sub(NAMES_MAX);
        match others {
            0 => self.filled("# 님이", "#", &named),
            _ => {
                named.push_str(self.pick(" 님 외 ", " and "));
                named + &self.counted("#명이", "# more", others as u64)
            }
        }
    }

    fn filled(self, korean: &str, english: &str, part: &str) -> String {
        fill(self.pick(korean, english), part)
    }

    fn counted(self, korean: &str, english: &str, count: impl Into<u64>) -> String {
        self.filled(korean, english, &number(count))
    }

    /// Why the server refused.
    #[must_use]
    pub fn refusal(self, code: ErrorCode) -> &'static str {
        let (korean, english) = match code {
            ErrorCode::BadRequest | ErrorCode::Validation => {
                ("서버가 받아들이지 않는 내용입니다.", "the server does not accept it.")
            }
            ErrorCode::Unauthenticated => ("먼저 들어와야 합니다.", "enter first."),
            ErrorCode::OriginNotAllowed | ErrorCode::Csrf => (
                "이 주소에서는 허용되지 않습니다. 관리자에게 문의하세요.",
                "this address is not allowed; ask the administrator.",
            ),
            ErrorCode::Forbidden => ("허용되지 않습니다.", "it is not allowed."),
            ErrorCode::NotFound => ("그런 것이 없습니다.", "there is no such thing."),
            ErrorCode::Conflict => {
                ("이미 있거나 바뀌었습니다.", "it exists already or has changed.")
            }
            ErrorCode::TooLarge => ("너무 큽니다.", "it is too large."),
            ErrorCode::RequestTimeout => ("너무 오래 걸렸습니다.", "it took too long."),
            ErrorCode::RateLimited => {
                ("너무 빠릅니다. 잠시 뒤에 다시 해 보세요.", "slow down a little.")
            }
            ErrorCode::LimitReached => ("한도에 이르렀습니다.", "a limit is reached."),
            ErrorCode::Internal => {
                ("서버에서 잘못되었습니다.", "something went wrong on the server.")
            }
            ErrorCode::Busy | ErrorCode::Draining => (
                "서버가 바쁩니다. 잠시 뒤에 다시 해 보세요.",
                "the server is busy; try again soon.",
            ),
            ErrorCode::StoreUnavailable | ErrorCode::StorageFull => {
                ("서버가 지금 기록할 수 없습니다.", "the server cannot write at the moment.")
            }
            ErrorCode::CursorAhead | ErrorCode::CursorExpired => {
                ("그 메시지는 더 이상 서버에 없습니다.", "the message is no longer on the server.")
            }
            ErrorCode::MethodNotAllowed
            | ErrorCode::UnsupportedMediaType
            | ErrorCode::UpgradeRequired
            | ErrorCode::SubprotocolNotSupported
            | ErrorCode::Unknown => ("서버가 거절했습니다.", "the server refused."),
        };
        self.pick(korean, english)
    }
}

/// The text with the part in the place of its `#`.
fn fill(text: &str, part: &str) -> String {
    let (before, after) = text.split_once('#').unwrap_or((text, ""));
    [before, part, after].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_counted() {
        let names: Vec<UserName> =
            ["하나", "두리", "세나", "네오"].map(|name| UserName::new(name).unwrap()).into();
        assert_eq!(Language::English.joined(&names[..2]), "하나, 두리 joined");
        assert_eq!(Language::English.left(&names), "하나, 두리, 세나 and 1 more left");
        assert_eq!(Language::Korean.left(&names[..1]), "하나 님이 나갔습니다");
    }

    #[test]
    fn what_was_recovered_is_counted_in_both_languages() {
        assert_eq!(Language::English.recovered(1), "1 message recovered, none missing.");
        assert!(Language::Korean.recovered(12).contains("12개"));
    }
}
