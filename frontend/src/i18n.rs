//! Everything the page says, in Korean and English. A text that is missing in one of them does
//! not compile.

mod particle;

mod phrases;

mod text;

pub use particle::{Particle, with_particle};
pub use text::Text;

/// The languages of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// 한국어.
    #[default]
    Korean,
    /// English.
    English,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 2] = [Self::Korean, Self::English];

    /// A fixed text in this language.
    #[must_use]
    pub fn text(self, text: Text) -> &'static str {
        let (korean, english) = text.row();
        self.pick(korean, english)
    }

    /// The tag of BCP 47.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.pick("ko", "en")
    }

    /// What the language calls itself.
    #[must_use]
    pub fn own_name(self) -> &'static str {
        self.pick("한국어", "English")
    }

    /// The language of a tag: Korean for `ko…`, English for everything else.
    #[must_use]
    pub fn from_tag(tag: &str) -> Self {
        if tag.starts_with("ko") { Self::Korean } else { Self::English }
    }

    fn pick<T>(self, korean: T, english: T) -> T {
        match self {
            Self::Korean => korean,
            Self::English => english,
        }
    }
}
