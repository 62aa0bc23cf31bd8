//! Texts with parts that change.

use common::{ErrorCode, UserName};

use super::{Language, Particle, with_particle};

/// Names in one notice; the others are counted.
const NAMES_MAX: usize = 3;

impl Language {
    /// After a resume.
    #[must_use]
    pub fn recovered(self, count: u64) -> String {
        match (self, count) {
            (Self::Korean, _) => format!("메시지 {count}개를 되찾았습니다. 빠진 것은 없습니다."),
            (Self::English, 1) => "1 message recovered, none missing.".to_owned(),
            (Self::English, _) => format!("{count} messages recovered, none missing."),
        }
    }

    /// Until the next attempt.
    #[must_use]
    pub fn next_attempt(self, seconds: i64) -> String {
        self.pick(
            format!("{seconds}초 뒤에 다시 연결합니다."),
            format!("Trying again in {seconds} s."),
        )
    }

    /// The server closed for good, with a code that has no text of its own.
    #[must_use]
    pub fn stopped(self, code: u16) -> String {
        self.pick(
            format!("서버가 연결을 닫았습니다(코드 {code})."),
            format!("The server closed the connection (code {code})."),
        )
    }

    /// On the button that jumps to the newest message.
    #[must_use]
    pub fn jump_to_newest(self, count: u64) -> String {
        match (self, count) {
            (Self::Korean, 0) => "최근 메시지로".to_owned(),
            (Self::Korean, _) => format!("새 메시지 {count}개"),
            (Self::English, 0) => "Jump to newest".to_owned(),
            (Self::English, _) => format!("Jump to newest ({count})"),
        }
    }

    /// What a badge of unread messages says to a screen reader.
    #[must_use]
    pub fn unread(self, count: u64) -> String {
        self.pick(format!("읽지 않은 메시지 {count}개"), format!("{count} unread"))
    }

    /// How many people are present.
    #[must_use]
    pub fn present(self, count: u32) -> String {
        match (self, count) {
            (Self::Korean, _) => format!("{count}명"),
            (Self::English, 1) => "1 person".to_owned(),
            (Self::English, _) => format!("{count} people"),
        }
    }

    /// Beyond those who are listed.
    #[must_use]
    pub fn and_others(self, count: u32) -> String {
        self.pick(format!("그 밖에 {count}명"), format!("and {count} more"))
    }

    /// A room does not exist.
    #[must_use]
    pub fn room_missing(self, room: &str) -> String {
        match self {
            Self::Korean => format!("{} 아직 없습니다", with_particle(room, Particle::Subject)),
            Self::English => format!("There is no room ‘{room}’"),
        }
    }

    /// The composer's placeholder.
    #[must_use]
    pub fn write_to(self, place: &str) -> String {
        self.pick(format!("{place}에 메시지 쓰기"), format!("Write to {place}"))
    }

    /// The composer's placeholder in a private room.
    #[must_use]
    pub fn write_to_person(self, name: &str) -> String {
        self.pick(format!("{name} 님에게 메시지 쓰기"), format!("Write to {name}"))
    }

    /// The text is over the limit.
    #[must_use]
    pub fn too_long(self, over: usize) -> String {
        self.pick(
            format!("너무 깁니다. {over}자를 줄여 주세요."),
            format!("Too long by {over} characters."),
        )
    }

    /// A message was not taken.
    #[must_use]
    pub fn failed(self, code: ErrorCode) -> String {
        let reason = self.refusal(code);
        self.pick(format!("보내지 못했습니다: {reason}"), format!("Not sent: {reason}"))
    }

    /// People came.
    #[must_use]
    pub fn joined(self, names: &[UserName]) -> String {
        let names = self.names(names);
        self.pick(format!("{names} 들어왔습니다"), format!("{names} joined"))
    }

    /// People went.
    #[must_use]
    pub fn left(self, names: &[UserName]) -> String {
        let names = self.names(names);
        self.pick(format!("{names} 나갔습니다"), format!("{names} left"))
    }

    fn names(self, names: &[UserName]) -> String {
        let named: Vec<&str> = names.iter().take(NAMES_MAX).map(UserName::as_str).collect();
        let others = names.len() - named.len();
        let named = named.join(", ");
        match (self, others) {
            (Self::Korean, 0) => format!("{named} 님이"),
            (Self::English, 0) => named,
            (Self::Korean, others) => format!("{named} 님 외 {others}명이"),
            (Self::English, others) => format!("{named} and {others} more"),
        }
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
            ErrorCode::Conflict => ("이미 있습니다.", "it exists already."),
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
            ErrorCode::StoreUnavailable => {
                ("서버가 지금 기록할 수 없습니다.", "the server cannot write at the moment.")
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
