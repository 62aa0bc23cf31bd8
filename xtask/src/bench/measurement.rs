//! What is measured, and how loadgen is asked for it.

use super::contender::Contender;

/// How long it may take altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// Short runs, and one round of them: whether everything works.
    Quick,
    /// Three rounds, whose medians count.
    Whole,
}

impl Effort {
    /// Rounds, unless it is told how many.
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
    /// The same rate in the same 100 rooms of two, while there are no others.
    ManyRooms100,
    /// While there are 1,000 in all.
    ManyRooms1000,
    /// While there are 8,000 in all.
    ManyRooms8000,
    /// 1,000 messages a second, in turn over rooms of ten, with 1,000 connected.
    Among1000,
    /// With 10,000 connected.
    Among10000,
    /// With 19,000 connected.
    Among19000,
    /// Everybody is cut at the same moment and comes back.
    Storm,
    /// Some read nothing more.
    Stalled,
    /// Somebody gets what they missed.
    Resume,
}

impl Measurement {
    pub(super) const ALL: [Self; 23] = [
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
        Self::ManyRooms100,
        Self::ManyRooms1000,
        Self::ManyRooms8000,
        Self::Among1000,
        Self::Among10000,
        Self::Among19000,
        Self::Storm,
        Self::Stalled,
        Self::Resume,
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
            Self::ManyRooms100 => "many-rooms-100",
            Self::ManyRooms1000 => "many-rooms-1000",
            Self::ManyRooms8000 => "many-rooms-8000",
            Self::Among1000 => "among-1000",
            Self::Among10000 => "among-10000",
            Self::Among19000 => "among-19000",
            Self::Storm => "storm",
            Self::Stalled => "stalled",
            Self::Resume => "resume",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measurement| measurement.name() == name)
    }

    /// Whether this question is put to this contender.
    pub(super) fn concerns(self, contender: Contender) -> bool {
        match self {
            Self::Idle5000
            | Self::Idle19000
            | Self::Last
            | Self::Durable
            | Self::ManyRooms100
            | Self::ManyRooms1000
            | Self::ManyRooms8000
            | Self::Among1000
            | Self::Among10000
            | Self::Among19000
            | Self::Storm
            | Self::Stalled
            | Self::Resume => contender == Contender::Madang,
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

    /// Whether people come from so many addresses that the server's limits of one, and of all that
    /// comes in a second, stay as they are.
    pub(super) fn is_within_limits(self) -> bool {
        matches!(self, Self::Storm | Self::Stalled)
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
                effort.seconds(4)
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
            Self::ManyRooms100 => many_rooms(0, effort),
            Self::ManyRooms1000 => many_rooms(900, effort),
            Self::ManyRooms8000 => many_rooms(7_900, effort),
            Self::Among1000 => among(1_000, effort),
            Self::Among10000 => among(10_000, effort),
            Self::Among19000 => among(19_000, effort),
            Self::Storm => storm(effort).to_owned(),
            Self::Stalled => stalled(effort).to_owned(),
            Self::Resume => resume(effort).to_owned(),
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
            | Self::Echo64
            | Self::ManyRooms100
            | Self::ManyRooms1000
            | Self::ManyRooms8000
            | Self::Among1000
            | Self::Among10000
            | Self::Among19000
            | Self::Storm
            | Self::Stalled
            | Self::Resume => {}
        }
        line.split(' ').map(str::to_owned).collect()
    }

    /// Seconds after which a run is ended, whatever it is doing.
    pub(super) fn seconds_max(self) -> u64 {
        match self {
            Self::Rooms
            | Self::FanOut10000
            | Self::Idle5000
            | Self::Idle19000
            | Self::ManyRooms100
            | Self::ManyRooms1000
            | Self::ManyRooms8000
            | Self::Among1000
            | Self::Among10000
            | Self::Among19000
            | Self::Storm
            | Self::Stalled
            | Self::Resume => 300,
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

/// So many silent rooms beside 100 that are spoken in. The rate is far from what is too much.
fn many_rooms(silent: u32, effort: Effort) -> String {
    let seconds = seconds_at_one_rate(effort);
    format!(
        "rooms --rooms 100 --members 2 --silent-rooms {silent} --rate 5000 --step-seconds {seconds}"
    )
}

/// So many connections in rooms of ten, in which 1,000 messages a second are said, in turn over the
/// rooms: what one more connection costs those that are there.
fn among(people: u32, effort: Effort) -> String {
    let (rooms, seconds) = (people / 10, seconds_at_one_rate(effort));
    format!("rooms --rooms {rooms} --members 10 --rate 1000 --step-seconds {seconds}")
}

fn seconds_at_one_rate(effort: Effort) -> u32 {
    match effort {
        Effort::Quick => 4,
        Effort::Whole => 8,
    }
}

/// A link that lasted for 30 s is stable, and its client comes back as after its first failure.
fn storm(effort: Effort) -> &'static str {
    match effort {
        Effort::Quick => "storm --clients 10000 --quiet-s 2",
        Effort::Whole => "storm --clients 10000 --quiet-s 32",
    }
}

/// A round is longer than the time after which the server closes. What one round has at its p99 is
/// the disk's to decide; three pairs of rounds are compared.
fn stalled(effort: Effort) -> &'static str {
    match effort {
        Effort::Quick => "stalled --good 100 --stalled 100 --pairs 3 --seconds 16 --warm-up-s 5",
        Effort::Whole => "stalled --good 100 --stalled 100 --pairs 3 --seconds 16 --warm-up-s 15",
    }
}

fn resume(effort: Effort) -> &'static str {
    match effort {
        Effort::Quick => "resume --fill --missed 50000",
        Effort::Whole => "resume --fill --missed 100000",
    }
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
