//! What is measured, and how loadgen is asked for it.

use super::contender::Contender;

/// How long it may take altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// One round of short runs: whether everything works.
    Quick,
    /// Three rounds, whose medians count.
    Whole,
}

impl Effort {
    pub(super) fn rounds(self) -> usize {
        match self {
            Self::Quick => 1,
            Self::Whole => 3,
        }
    }

    fn seconds(self, whole: u32) -> String {
        match self {
            Self::Quick => "2".to_owned(),
            Self::Whole => whole.to_string(),
        }
    }
}

/// One question to a server, which is started for it and ended after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Measurement {
    FanOut100,
    FanOut1000,
    /// Whoever falls behind while 10,000 are served reads on, so the room keeps enough for that.
    FanOut10000,
    /// With 16 in flight: uWebSockets coalesces up to 32 that come at once, and no more.
    FanOut16,
    OneByOne,
    Rooms,
    Idle1000,
    Idle5000,
    Idle19000,
    Handshakes,
    Echo,
    Echo64,
    /// Fan-out to 1,000 in a room that keeps its last 1,000 entries.
    Last,
    /// Fan-out to 1,000 in a room that keeps everything.
    Durable,
}

impl Measurement {
    pub(super) const ALL: [Self; 14] = [
        Self::FanOut1000,
        Self::FanOut100,
        Self::FanOut10000,
        Self::FanOut16,
        Self::OneByOne,
        Self::Rooms,
        Self::Idle1000,
        Self::Idle5000,
        Self::Idle19000,
        Self::Handshakes,
        Self::Echo,
        Self::Echo64,
        Self::Last,
        Self::Durable,
    ];

    /// As `--only` takes it, and as it stands in what was recorded.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::FanOut100 => "fan-out-100",
            Self::FanOut1000 => "fan-out-1000",
            Self::FanOut10000 => "fan-out-10000",
            Self::FanOut16 => "fan-out-16",
            Self::OneByOne => "one-by-one",
            Self::Rooms => "rooms",
            Self::Idle1000 => "idle-1000",
            Self::Idle5000 => "idle-5000",
            Self::Idle19000 => "idle-19000",
            Self::Handshakes => "handshakes",
            Self::Echo => "echo",
            Self::Echo64 => "echo-64",
            Self::Last => "last",
            Self::Durable => "durable",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measurement| measurement.name() == name)
    }

    /// Whether this question is put to this contender.
    pub(super) fn concerns(self, contender: Contender) -> bool {
        match self {
            Self::Idle5000 | Self::Idle19000 | Self::Last | Self::Durable => {
                contender == Contender::Madang
            }
            Self::FanOut100
            | Self::FanOut1000
            | Self::FanOut10000
            | Self::FanOut16
            | Self::OneByOne
            | Self::Rooms
            | Self::Idle1000
            | Self::Handshakes => contender != Contender::Echo,
            Self::Echo | Self::Echo64 => true,
        }
    }

    /// loadgen's subcommand and its options, without server, dialect and process.
    pub(super) fn words(self, contender: Contender, effort: Effort) -> Vec<String> {
        let mut line = match self {
            Self::FanOut100 => fan_out(100, 64, effort),
            Self::FanOut1000 | Self::Last | Self::Durable => fan_out(1_000, 64, effort),
            Self::FanOut10000 => fan_out(10_000, 64, effort),
            Self::FanOut16 => fan_out(1_000, 16, effort),
            Self::OneByOne => fan_out(1_000, 1, effort),
            Self::Rooms => format!(
                "rooms --rooms 200 --members 10 --p99-max-ms 50 --step-seconds {}",
                match effort {
                    Effort::Quick => 2,
                    Effort::Whole => 4,
                }
            ),
            Self::Idle1000 => idle(1_000, contender, effort),
            Self::Idle5000 => idle(5_000, contender, effort),
            Self::Idle19000 => idle(19_000, contender, effort),
            Self::Handshakes => {
                format!(
                    "handshakes --connections 64 --per-second-max 8000 --seconds {}",
                    effort.seconds(5)
                )
            }
            Self::Echo => format!("echo --in-flight 1 --seconds {}", effort.seconds(5)),
            Self::Echo64 => format!("echo --in-flight 64 --seconds {}", effort.seconds(5)),
        };
        match self {
            Self::Last => line.push_str(" --keep 1000"),
            Self::Durable => line.push_str(" --keep forever"),
            Self::FanOut10000 if contender == Contender::Madang => line.push_str(" --keep 100000"),
            Self::FanOut100
            | Self::FanOut1000
            | Self::FanOut10000
            | Self::FanOut16
            | Self::OneByOne
            | Self::Rooms
            | Self::Idle1000
            | Self::Idle5000
            | Self::Idle19000
            | Self::Handshakes
            | Self::Echo
            | Self::Echo64 => {}
        }
        line.split(' ').map(str::to_owned).collect()
    }

    /// Seconds after which a run is ended, whatever it is doing.
    pub(super) fn seconds_max(self) -> u64 {
        match self {
            Self::Rooms => 300,
            Self::FanOut10000 | Self::Idle5000 | Self::Idle19000 => 300,
            Self::FanOut100
            | Self::FanOut1000
            | Self::FanOut16
            | Self::OneByOne
            | Self::Idle1000
            | Self::Handshakes
            | Self::Echo
            | Self::Echo64
            | Self::Last
            | Self::Durable => 120,
        }
    }
}

fn fan_out(followers: u32, in_flight: u32, effort: Effort) -> String {
    let seconds = effort.seconds(8);
    format!("fan-out --followers {followers} --in-flight {in_flight} --seconds {seconds}")
}

/// Two rooms where rooms can be joined. Everybody is asked for a sign of life at least once, but
/// for a quick look at others: theirs is memory only.
fn idle(connections: u32, contender: Contender, effort: Effort) -> String {
    let quiet = match effort {
        Effort::Quick if contender != Contender::Madang => 4,
        Effort::Quick | Effort::Whole => 40,
    };
    let rooms = if contender == Contender::Madang { " --rooms lean-a,lean-b" } else { "" };
    format!("idle --connections {connections} --quiet-s {quiet}{rooms}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_own() {
        for measurement in Measurement::ALL {
            assert_eq!(Measurement::named(measurement.name()), Some(measurement));
        }
        for contender in Contender::ALL {
            assert_eq!(Contender::named(contender.name()), Some(contender));
        }
    }

    #[test]
    fn only_rooms_that_can_keep_are_asked_to() {
        let words = Measurement::Durable.words(Contender::Madang, Effort::Whole).join(" ");
        assert_eq!(words, "fan-out --followers 1000 --in-flight 64 --seconds 8 --keep forever");
        let words = Measurement::FanOut10000.words(Contender::Madang, Effort::Whole).join(" ");
        assert_eq!(words, "fan-out --followers 10000 --in-flight 64 --seconds 8 --keep 100000");
        for contender in Contender::ALL.into_iter().filter(|it| *it != Contender::Madang) {
            assert!(!Measurement::Durable.concerns(contender));
            let words = Measurement::FanOut10000.words(contender, Effort::Whole);
            assert!(!words.contains(&"--keep".to_owned()), "{words:?}");
        }
    }
}
