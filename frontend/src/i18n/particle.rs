//! Korean particles, which depend on how the word before them ends.

/// A particle with two shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Particle {
    /// 이 or 가.
    Subject,
    /// 을 or 를.
    Object,
    /// 과 or 와.
    And,
}

/// The quoted word and its particle.
#[must_use]
pub fn with_particle(word: &str, particle: Particle) -> String {
    let (closed, open) = match particle {
        Particle::Subject => ("이", "가"),
        Particle::Object => ("을", "를"),
        Particle::And => ("과", "와"),
    };
    ["‘", word, "’", if ends_in_consonant(word) { closed } else { open }].concat()
}

/// Whether a word, read aloud in Korean, ends in a consonant.
fn ends_in_consonant(word: &str) -> bool {
    const FIRST_SYLLABLE: u32 = 0xac00;
    const FINALS: u32 = 28;
    match word.chars().rev().find(|c| c.is_alphanumeric()) {
        Some(c @ '가'..='힣') => !(u32::from(c) - FIRST_SYLLABLE).is_multiple_of(FINALS),
        // 영 일 삼 육 칠 팔
        Some('0' | '1' | '3' | '6' | '7' | '8') => true,
        // A Latin word is read as a Korean one: these endings nearly always close the syllable.
        Some('l' | 'm' | 'n' | 'L' | 'M' | 'N') => true,
        Some(c) => matches!(c, 'ㄱ'..='ㅎ'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_particle_follows_the_last_sound() {
        for (word, particle, expected) in [
            ("마당", Particle::Subject, "‘마당’이"),
            ("로비", Particle::Subject, "‘로비’가"),
            ("점심", Particle::Object, "‘점심’을"),
            ("회의", Particle::Object, "‘회의’를"),
            ("general", Particle::Subject, "‘general’이"),
            ("team-2", Particle::Subject, "‘team-2’가"),
            ("room-1", Particle::And, "‘room-1’과"),
            ("tech", Particle::And, "‘tech’와"),
        ] {
            assert_eq!(with_particle(word, particle), expected);
        }
    }
}
