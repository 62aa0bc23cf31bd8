//! The marks that the server is held to, each a number of one record.

use super::columns;
use crate::bench::{
    contender::Contender::{self, Coalesced, Echo, FastApi, Madang, UWebSockets},
    measurement::Measurement,
    numbers,
    record::{Figure, Record},
};

/// Where a figure has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
    /// Nowhere: it stands beside another to be compared.
    Nowhere,
}

/// What a figure is held to; a figure alone, or what it is of another.
struct Mark {
    what: &'static str,
    of: (Contender, Figure),
    beside: Option<(Contender, Figure)>,
    bound: Bound,
}

const IDLE_CPU: Figure =
    Figure { measurement: Measurement::Idle5000, pointer: "/server_cpu_us_per_connection_second" };
const IDLE_BYTES: Figure =
    Figure { measurement: Measurement::Idle5000, pointer: "/bytes_per_connection" };
const LAST: Figure = Figure { measurement: Measurement::Last, pointer: "/deliveries_per_second" };
const DURABLE: Figure =
    Figure { measurement: Measurement::Durable, pointer: "/deliveries_per_second" };
const WITH_100_ROOMS: Figure =
    Figure { measurement: Measurement::ManyRooms100, pointer: "/step/server_cpu_us_per_message" };
const WITH_8000_ROOMS: Figure =
    Figure { measurement: Measurement::ManyRooms8000, pointer: "/step/server_cpu_us_per_message" };
const LAST_BACK: Figure = Figure { measurement: Measurement::Storm, pointer: "/last_s" };
const AMONG_1000: Figure = Figure { measurement: Measurement::Among1000, pointer: "/step/p50_us" };
const AMONG_19000: Figure =
    Figure { measurement: Measurement::Among19000, pointer: "/step/p50_us" };
const GOOD_P99: Figure = Figure { measurement: Measurement::Stalled, pointer: "/p99_ratio" };
const STALLED_BYTES: Figure =
    Figure { measurement: Measurement::Stalled, pointer: "/bytes_per_stalled" };
const CLOSED_AFTER: Figure =
    Figure { measurement: Measurement::Stalled, pointer: "/closed_after_s_max" };
const RESUMED: Figure =
    Figure { measurement: Measurement::Resume, pointer: "/entries_per_server_core_second" };

const MARKS: &[Mark] = &[
    Mark {
        what: "fan-out to 1,000, 64 in flight: CPU per delivery, of uWebSockets'",
        of: (Madang, columns::FAN_OUT_1000),
        beside: Some((UWebSockets, columns::FAN_OUT_1000)),
        bound: Bound::AtMost(0.5),
    },
    Mark {
        what: "the same with 16 in flight, which uWebSockets coalesces whole",
        of: (Madang, columns::FAN_OUT_16),
        beside: Some((UWebSockets, columns::FAN_OUT_16)),
        bound: Bound::Nowhere,
    },
    Mark {
        what: "64 in flight: deliveries for each second of CPU, of the coalescing floor's",
        of: (Coalesced, columns::FAN_OUT_1000),
        beside: Some((Madang, columns::FAN_OUT_1000)),
        bound: Bound::AtLeast(0.6),
    },
    Mark {
        what: "one frame per packet: CPU, of the floor's",
        of: (Madang, columns::ONE_BY_ONE),
        beside: Some((Coalesced, columns::ONE_BY_ONE)),
        bound: Bound::AtMost(1.15),
    },
    Mark {
        what: "200 rooms × 10: most per second, of the floor's",
        of: (Madang, columns::ROOMS_BEST),
        beside: Some((Coalesced, columns::ROOMS_BEST)),
        bound: Bound::AtLeast(0.5),
    },
    Mark {
        what: "the same, of FastAPI's",
        of: (Madang, columns::ROOMS_BEST),
        beside: Some((FastApi, columns::ROOMS_BEST)),
        bound: Bound::AtLeast(10.0),
    },
    Mark {
        what: "the same: p99 at half of that, µs",
        of: (Madang, columns::ROOMS_HALF),
        beside: None,
        bound: Bound::AtMost(5_000.0),
    },
    Mark {
        what: "memory of an idle connection in two rooms, 5,000 of them, bytes",
        of: (Madang, IDLE_BYTES),
        beside: None,
        bound: Bound::AtMost(2_048.0),
    },
    Mark {
        what: "CPU of an idle connection, µs per second",
        of: (Madang, IDLE_CPU),
        beside: None,
        bound: Bound::AtMost(1.5),
    },
    Mark {
        what: "handshake with a ticket: CPU, of the floor's without",
        of: (Madang, columns::HANDSHAKE),
        beside: Some((Coalesced, columns::HANDSHAKE)),
        bound: Bound::AtMost(3.0),
    },
    Mark {
        what: "echo on one connection: p50, of the floor's",
        of: (Echo, columns::ECHO),
        beside: Some((Coalesced, columns::ECHO)),
        bound: Bound::AtMost(1.1),
    },
    Mark {
        what: "a message in a room of one, with its acknowledgement: p50, of the floor's echo",
        of: (Madang, columns::ECHO),
        beside: Some((Coalesced, columns::ECHO)),
        bound: Bound::Nowhere,
    },
    Mark {
        what: "rooms that keep everything: deliveries per second, of rooms that keep 1,000",
        of: (Madang, DURABLE),
        beside: Some((Madang, LAST)),
        bound: Bound::AtLeast(0.8),
    },
    Mark {
        what: "10,000 followers: deliveries for each second of CPU, of those with 1,000",
        of: (Madang, columns::FAN_OUT_1000),
        beside: Some((Madang, columns::FAN_OUT_10000)),
        bound: Bound::AtLeast(0.8),
    },
    Mark {
        what: "a message where there are 8,000 rooms: CPU, of that where there are 100",
        of: (Madang, WITH_8000_ROOMS),
        beside: Some((Madang, WITH_100_ROOMS)),
        bound: Bound::AtMost(1.25),
    },
    Mark {
        what: "the same rate among 19,000 connections, in rooms of ten: p50, of that among 1,000",
        of: (Madang, AMONG_19000),
        beside: Some((Madang, AMONG_1000)),
        bound: Bound::AtMost(2.0),
    },
    Mark {
        what: "10,000 cut at the same moment: the last is back, seconds",
        of: (Madang, LAST_BACK),
        beside: None,
        bound: Bound::AtMost(8.0),
    },
    Mark {
        what: "100 read nothing: p99 of 100 who do, of that without them",
        of: (Madang, GOOD_P99),
        beside: None,
        bound: Bound::AtMost(1.25),
    },
    Mark {
        what: "the same: resident memory for each of them, bytes",
        of: (Madang, STALLED_BYTES),
        beside: None,
        bound: Bound::AtMost(524_288.0),
    },
    // 15 s, and what it takes to see it: the load looks every 20 ms.
    Mark {
        what: "the same: closed after the last byte that they took, seconds",
        of: (Madang, CLOSED_AFTER),
        beside: None,
        bound: Bound::AtMost(15.1),
    },
    Mark {
        what: "somebody gets what they missed: entries for each second of CPU",
        of: (Madang, RESUMED),
        beside: None,
        bound: Bound::AtLeast(50_000.0),
    },
];

/// The rows of the table: what, measured, mark, verdict.
pub(super) fn rows(record: &Record) -> Vec<Vec<String>> {
    let row = |mark: &Mark| {
        let rounds = match mark.beside {
            Some(beside) => record.ratios(mark.of, beside),
            None => record.figures(mark.of.0, mark.of.1),
        };
        let bound = match mark.bound {
            Bound::AtMost(most) => format!("≤ {most}"),
            Bound::AtLeast(least) => format!("≥ {least}"),
            Bound::Nowhere => "none".to_owned(),
        };
        let verdict = match (mark.bound, numbers::median(&rounds)) {
            (_, None) => "no figure",
            (Bound::Nowhere, Some(_)) => "",
            (Bound::AtMost(most), Some(measured)) if measured <= most => "kept",
            (Bound::AtLeast(least), Some(measured)) if measured >= least => "kept",
            (Bound::AtMost(_) | Bound::AtLeast(_), Some(_)) => "**missed**",
        };
        let measured = numbers::with_range(&rounds).unwrap_or_else(|| "—".to_owned());
        vec![mark.what.to_owned(), measured, bound, verdict.to_owned()]
    };
    MARKS.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bench::record::Run;

    #[test]
    fn a_mark_is_kept_missed_or_without_a_figure() {
        let mut record = Record::default();
        for (contender, cpu) in [(Madang, 0.1), (UWebSockets, 0.15), (Coalesced, 0.07)] {
            record.runs.push(Run {
                round: 0,
                contender,
                measurement: Measurement::FanOut1000,
                outcome: Ok(json!({"server_cpu_us_per_delivery": cpu})),
            });
        }
        let rows = rows(&record);
        assert_eq!(rows[0][1..], ["0.67", "≤ 0.5", "**missed**"]);
        assert_eq!(rows[2][1..], ["0.70", "≥ 0.6", "kept"]);
        assert_eq!(rows[1][1..], ["—", "none", "no figure"]);
        assert_eq!(rows[3][1..], ["—", "≤ 1.15", "no figure"]);
    }
}
