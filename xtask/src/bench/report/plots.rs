//! The plots of a record.

use serde_json::Value;

use super::columns;
use crate::bench::{
    chart::{Chart, Series, Stroke},
    contender::Contender,
    measurement::Measurement,
    record::{Figure, Record},
};

/// Files in docs/benchmarks and what is said where they cannot be seen.
pub(super) const FILES: [(&str, &str); 3] = [
    ("room-size.svg", "Deliveries for each second of a core, against the size of the room"),
    ("memory.svg", "Memory against connections"),
    ("latency.svg", "Latency against load"),
];

/// What is drawn, by the name of its file.
pub(in crate::bench) fn plots(record: &Record) -> Vec<(&'static str, String)> {
    let [(room_size, _), (memory, _), (latency, _)] = FILES;
    let charts = [
        (room_size, against_room_size(record)),
        (memory, against_connections(record)),
        (latency, against_load(record)),
    ];
    charts.into_iter().filter_map(|(file, chart)| Some((file, chart.svg()?))).collect()
}

fn against_room_size(record: &Record) -> Chart {
    let sizes = [
        (100.0, columns::FAN_OUT_100),
        (1_000.0, columns::FAN_OUT_1000),
        (10_000.0, columns::FAN_OUT_10000),
    ];
    let points = |who| {
        let point =
            |(size, figure): &(f64, Figure)| Some((*size, 1e6 / record.median(who, *figure)?));
        sizes.iter().filter_map(point).collect()
    };
    Chart {
        title: "Fan-out in one room, 64 messages in flight",
        across: "followers in the room",
        up: "deliveries for each second of a core",
        series: lines(points),
    }
}

fn against_connections(record: &Record) -> Chart {
    let counts = [
        (1_000.0, Measurement::Idle1000),
        (5_000.0, Measurement::Idle5000),
        (19_000.0, Measurement::Idle19000),
    ];
    let points = |who| {
        let point = |(count, measurement): &(f64, Measurement)| {
            let figure = Figure { measurement: *measurement, pointer: "/bytes_per_connection" };
            Some((*count, count * record.median(who, figure)? / (1024.0 * 1024.0)))
        };
        counts.iter().filter_map(point).collect()
    };
    Chart {
        title: "Memory of idle connections",
        across: "connections",
        up: "resident memory that they take, MiB",
        series: lines(points),
    }
}

/// The steps of the last round in which a search went through; only loads that were kept up.
fn against_load(record: &Record) -> Chart {
    let points = |who| {
        let runs = record.runs_of(who, Measurement::Rooms);
        let last = runs.filter_map(|run| run.outcome.as_ref().ok()).last();
        last.map_or_else(Vec::new, steps)
    };
    Chart {
        title: "200 rooms of 10, everybody says something",
        across: "deliveries per second",
        up: "p99 from saying to hearing, µs",
        series: lines(points),
    }
}

fn steps(search: &Value) -> Vec<(f64, f64)> {
    let number = |step: &Value, key: &str| step.get(key).and_then(Value::as_f64);
    let is_kept = |step: &&Value| step.get("kept").and_then(Value::as_bool) == Some(true);
    let steps = search.get("steps").and_then(Value::as_array).into_iter().flatten();
    let mut points: Vec<(f64, (f64, f64))> = Vec::new();
    for step in steps.filter(is_kept) {
        let of = |key| number(step, key);
        let (Some(rate), Some(load), Some(p99)) =
            (of("rate"), of("deliveries_per_second"), of("p99_us"))
        else {
            continue;
        };
        points.push((rate, (load, p99)));
    }
    // A rate that was tried twice counts as the search counts it: by the better time.
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.1.total_cmp(&b.1.1)));
    points.dedup_by_key(|point| point.0);
    points.into_iter().map(|point| point.1).collect()
}

fn lines(points: impl Fn(Contender) -> Vec<(f64, f64)>) -> Vec<Series> {
    let line = |(colour, who): (usize, Contender)| {
        let stroke = match who {
            Contender::Madang => Stroke::Strong,
            Contender::Echo | Contender::Coalesced => Stroke::Dashed,
            Contender::PerFollower => Stroke::Dotted,
            Contender::UWebSockets
            | Contender::Socketify
            | Contender::Nats
            | Contender::Warp
            | Contender::NodeWs
            | Contender::FastApi
            | Contender::SocketIo => Stroke::Plain,
        };
        Series { title: who.title(), colour, stroke, points: points(who) }
    };
    Contender::ALL.into_iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bench::record::Run;

    #[test]
    fn latency_is_drawn_by_load_without_the_loads_that_were_not_kept() {
        let step = |rate: f64, kept: bool| json!({"rate": rate, "deliveries_per_second": rate * 10.0, "p99_us": rate, "kept": kept});
        let search = json!({"steps": [step(4.0, true), step(8.0, false), step(2.0, true)]});
        assert_eq!(steps(&search), [(20.0, 2.0), (40.0, 4.0)]);
        let mut slow = step(2.0, true);
        slow["p99_us"] = json!(900.0);
        let twice = json!({"steps": [slow, step(2.0, true)]});
        assert_eq!(steps(&twice), [(20.0, 2.0)]);
    }

    #[test]
    fn only_what_was_measured_is_drawn() {
        let mut record = Record::default();
        record.runs.push(Run {
            round: 0,
            contender: Contender::Madang,
            measurement: Measurement::Idle5000,
            outcome: Ok(json!({"bytes_per_connection": 1_000.0})),
        });
        let files: Vec<&str> = plots(&record).into_iter().map(|plot| plot.0).collect();
        assert_eq!(files, ["memory.svg"]);
    }
}
