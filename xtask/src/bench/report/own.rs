//! What is measured of the server alone: memory, keeping, growth, coming back, stalling.

use super::{head, table};
use crate::bench::{measurement::Measurement, numbers};

/// How a figure is written.
pub(super) type Written = fn(f64) -> String;

/// Titles and tables. `cell` has a figure of the server, or why there is none.
pub(super) fn parts(
    mut cell: impl FnMut(Measurement, &'static str, Written) -> String,
) -> Vec<String> {
    let mut figure = |measurement, pointer| cell(measurement, pointer, numbers::short);
    vec![
        "### Memory, and what keeping costs".to_owned(),
        memory(&mut figure),
        keeping(&mut figure),
        "### Growth".to_owned(),
        "One after the other says something in 100 rooms of two, 5,000 messages in a second in \
         all; in the others, which are followed by two as well, nothing is said. Memory of \
         connections is in the table above."
            .to_owned(),
        rooms(&mut figure),
        "1,000 messages a second, and so 10,000 deliveries, in turn over the rooms; each has ten \
         members, who are connected and in no other."
            .to_owned(),
        among(&mut figure),
        "### Coming back, stalling".to_owned(),
        "Clients are peers with the page's own client half, which prove that nothing is missing; \
         of those who are cut each is in two of 100 rooms and missed 20 entries in both. Those who \
         are cut and those who stall come from many addresses, and the server's limits are as \
         they are."
            .to_owned(),
        storm(&mut cell),
        stalled(&mut cell),
        resume(&mut cell),
    ]
}

/// A row for each measurement, under its own name, with a figure for each pointer.
fn by_measurement<const FIGURES: usize>(
    cell: &mut impl FnMut(Measurement, &'static str) -> String,
    titles: &[&str],
    pointers: [&'static str; FIGURES],
    named: [(&str, Measurement); 3],
) -> String {
    let rows = named.map(|(name, measurement)| {
        let figures = pointers.map(|pointer| cell(measurement, pointer));
        [vec![name.to_owned()], figures.to_vec()].concat()
    });
    table(&head(titles), &rows)
}

fn memory(cell: &mut impl FnMut(Measurement, &'static str) -> String) -> String {
    by_measurement(
        cell,
        &["idle connections", "bytes for each", "CPU µs for each and second"],
        ["/bytes_per_connection", "/server_cpu_us_per_connection_second"],
        [
            ("1,000", Measurement::Idle1000),
            ("5,000", Measurement::Idle5000),
            ("19,000", Measurement::Idle19000),
        ],
    )
}

fn keeping(cell: &mut impl FnMut(Measurement, &'static str) -> String) -> String {
    by_measurement(
        cell,
        &[
            "1,000 followers, 64 in flight; the room keeps",
            "CPU µs per delivery",
            "deliveries per second",
            "p50, µs",
            "p99, µs",
        ],
        ["/server_cpu_us_per_delivery", "/deliveries_per_second", "/p50_us", "/p99_us"],
        [
            ("nothing", Measurement::FanOut1000),
            ("the last 1,000", Measurement::Last),
            ("everything", Measurement::Durable),
        ],
    )
}

fn rooms(cell: &mut impl FnMut(Measurement, &'static str) -> String) -> String {
    by_measurement(
        cell,
        &["rooms in all", "CPU µs per message", "p50, µs", "p99, µs"],
        ["/step/server_cpu_us_per_message", "/step/p50_us", "/step/p99_us"],
        [
            ("100", Measurement::ManyRooms100),
            ("1,000", Measurement::ManyRooms1000),
            ("8,000", Measurement::ManyRooms8000),
        ],
    )
}

fn among(cell: &mut impl FnMut(Measurement, &'static str) -> String) -> String {
    by_measurement(
        cell,
        &["connections", "CPU µs per delivery", "p50, µs", "p99, µs"],
        ["/step/server_cpu_us_per_delivery", "/step/p50_us", "/step/p99_us"],
        [
            ("1,000", Measurement::Among1000),
            ("10,000", Measurement::Among10000),
            ("19,000", Measurement::Among19000),
        ],
    )
}

fn storm(cell: &mut impl FnMut(Measurement, &'static str, Written) -> String) -> String {
    let mut of = |pointer, written| cell(Measurement::Storm, pointer, written);
    let row = vec![
        of("/clients", numbers::thousands),
        of("/half_s", numbers::short),
        of("/most_s", numbers::short),
        of("/last_s", numbers::short),
        of("/attempts", numbers::thousands),
        of("/refused", numbers::thousands),
        of("/server_cpu_seconds", numbers::short),
        of("/own_cpu", numbers::short),
    ];
    let titles = [
        "cut at the same moment",
        "half is back, s",
        "99 of 100, s",
        "the last, s",
        "attempts",
        "of them refused",
        "server's CPU, s",
        "share of the load's core that the load used",
    ];
    table(&head(&titles), &[row])
}

fn stalled(cell: &mut impl FnMut(Measurement, &'static str, Written) -> String) -> String {
    let mut of = |pointer, written| cell(Measurement::Stalled, pointer, written);
    let row = vec![
        of("/stalled", numbers::thousands),
        of("/good", numbers::thousands),
        of("/p99_ratio", numbers::short),
        of("/bytes_per_stalled", numbers::thousands),
        of("/closed_after_s_max", numbers::short),
        of("/recovered", numbers::thousands),
    ];
    let titles = [
        "who read nothing",
        "beside who read",
        "the latter's p99, of that without the former",
        "resident memory for each of the former at most, bytes",
        "closed after the last byte that they took at most, s",
        "entries that they missed and got",
    ];
    table(&head(&titles), &[row])
}

fn resume(cell: &mut impl FnMut(Measurement, &'static str, Written) -> String) -> String {
    let mut of = |pointer, written| cell(Measurement::Resume, pointer, written);
    let row = vec![
        of("/entries", numbers::thousands),
        of("/entries_per_second", numbers::short),
        of("/entries_per_server_core_second", numbers::short),
        of("/before_bytes", numbers::short),
        of("/most_bytes", numbers::short),
    ];
    let titles = [
        "entries that one missed",
        "they come, a second",
        "a second of the server's core",
        "the server's memory before, bytes",
        "at most meanwhile",
    ];
    table(&head(&titles), &[row])
}
