//! A record as a person reads it: ratios first, then figures, marks, and what failed.

mod columns;

mod marks;

mod own;

mod plots;

mod table;

pub(super) use self::plots::plots;
use self::{
    columns::{Better, COLUMNS, Column},
    table::table,
};
use super::{
    contender::Contender,
    measurement::Measurement,
    numbers,
    record::{Figure, Record},
};

const INTRODUCTION: &str = "\
Server and peers, each a small program as people write it (`bench/peers`), one at a time on one \
core, `loadgen` on another; over the loopback, in turns, every server started anew for every \
measurement. CPU is the server's, user and system, all threads. What a delivery carries is 256 \
bytes for everybody. Peers keep nothing, so rooms keep nothing here either, except that of 10,000: \
it is on the disk, so that whoever falls behind reads on. What keeping costs is below. Only what \
was measured in the same run can be compared. A run in which something was lost, doubled or out of \
order gives no figure.

A socket of uWebSockets may be part of 32 publishes before it is drained, and in the middle of a \
read it is drained one write at a time: of 64 messages that come in one read it writes 32 by \
themselves (seen with strace). So everybody is measured with 16 in flight too, where it coalesces \
them all.";

const REPEAT: &str = "\
```
cargo xtask bench                          # three rounds, more than two hours
cargo xtask bench --quick                  # one round of short runs, 25 minutes
cargo xtask bench --quick --rounds 3       # three rounds of short runs
cargo xtask bench --only nats,fan-out-1000 # prints, and leaves this page as it is
```

It needs Linux, two cores and `ulimit -n 20000`, and installs what is missing outside the checkout \
(Debian's packages as root). Every run is a line of `target/bench/record.jsonl`; \
`cargo xtask bench --report` writes this part anew from there.";

/// The part of docs/benchmarks.md that a bench writes.
pub(super) fn section(record: &Record) -> String {
    let mut failures = Failures::default();
    let ratios = comparison(record, &mut failures, |column| column.title.to_owned(), ratio);
    let figures = comparison(record, &mut failures, with_unit, figure);
    let mut parts = vec![
        "## Beside other servers".to_owned(),
        INTRODUCTION.to_owned(),
        about(record),
        "### Ratios".to_owned(),
        "Madang's figure divided by the other's in the same round; the median of the rounds. \
         Where Madang is behind it stands in italics: above 1 where a column is a cost, below 1 \
         where it is deliveries."
            .to_owned(),
        ratios,
        "### Figures".to_owned(),
        "Medians of the rounds. \\* `loadgen` was full: the server may be able to do more."
            .to_owned(),
        figures,
        "### Marks".to_owned(),
        "Medians, and in brackets the least and the greatest of the rounds.".to_owned(),
        table(&head(&["", "measured", "mark", ""]), &marks::rows(record)),
    ];
    parts.extend(own::parts(|measurement, pointer, written| {
        let median = record.median(Contender::Madang, Figure { measurement, pointer });
        median.map_or_else(|| failures.cell(record, Contender::Madang, measurement), written)
    }));
    parts.extend(plots::FILES.iter().map(|(file, title)| format!("![{title}](benchmarks/{file})")));
    if !record.absent.is_empty() {
        parts.push("### Not measured".to_owned());
        let row = |(who, why): &(Contender, String)| vec![who.title().to_owned(), why.clone()];
        let rows: Vec<_> = record.absent.iter().map(row).collect();
        parts.push(table(&head(&["", "does not install or start"]), &rows));
    }
    if !failures.0.is_empty() {
        parts.push("### Failed".to_owned());
        parts.push(table(&head(&["", "who", "what", "why"]), &failures.rows()));
    }
    parts.push("### How to repeat it".to_owned());
    parts.push(REPEAT.to_owned());
    parts.join("\n\n")
}

/// What gave no figure, by the number that stands in its cell.
#[derive(Default)]
struct Failures(Vec<(Contender, Measurement, String)>);

impl Failures {
    fn cell(&mut self, record: &Record, who: Contender, what: Measurement) -> String {
        let Some(why) = record.failure(who, what) else { return "—".to_owned() };
        let place = self.0.iter().position(|failure| (failure.0, failure.1) == (who, what));
        let place = place.unwrap_or_else(|| {
            self.0.push((who, what, why.to_owned()));
            self.0.len() - 1
        });
        format!("failed ({})", place + 1)
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |(number, (who, what, why)): (usize, &(Contender, Measurement, String))| {
            vec![
                number.to_string(),
                who.title().to_owned(),
                what.name().to_owned(),
                format!("failed: {why}"),
            ]
        };
        (1..).zip(&self.0).map(row).collect()
    }
}

/// A row for each contender that was measured, a column for each figure.
fn comparison(
    record: &Record,
    failures: &mut Failures,
    title: fn(&Column) -> String,
    cell: fn(&Record, Contender, &Column) -> Option<String>,
) -> String {
    let titles = COLUMNS.iter().map(title);
    let head: Vec<String> = std::iter::once(String::new()).chain(titles).collect();
    let mut rows = Vec::new();
    for who in Contender::ALL {
        if !record.runs.iter().any(|run| run.contender == who) {
            continue;
        }
        let mut row = vec![who.title().to_owned()];
        for column in COLUMNS {
            let measured = cell(record, who, column);
            row.push(
                measured.unwrap_or_else(|| failures.cell(record, who, column.figure.measurement)),
            );
        }
        rows.push(row);
    }
    table(&head, &rows)
}

fn with_unit(column: &Column) -> String {
    format!("{}, {}", column.title, column.unit)
}

fn ratio(record: &Record, who: Contender, column: &Column) -> Option<String> {
    let ratio = record.ratio((Contender::Madang, column.figure), (who, column.figure))?;
    let is_ahead = match column.better {
        Better::Less => ratio <= 1.0,
        Better::More => ratio >= 1.0,
    };
    let text = numbers::short(ratio);
    Some(if is_ahead || who == Contender::Madang { text } else { format!("*{text}*") })
}

fn figure(record: &Record, who: Contender, column: &Column) -> Option<String> {
    let text = numbers::short(record.median(who, column.figure)?);
    let is_full = record.was_held_back(who, column.figure.measurement);
    Some(if is_full { format!("{text} \\*") } else { text })
}

fn about(record: &Record) -> String {
    let rows: Vec<Vec<String>> =
        record.about.iter().map(|(what, found)| vec![what.clone(), found.clone()]).collect();
    table(&head(&["", ""]), &rows)
}

fn head(titles: &[&str]) -> Vec<String> {
    titles.iter().map(|title| (*title).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bench::record::Run;

    #[test]
    fn a_report_has_ratios_figures_and_reasons_but_no_figure_of_a_failed_run() {
        let mut record = Record::default();
        let outcomes = [
            (
                Contender::Madang,
                Ok(json!({"server_cpu_us_per_delivery": 0.1, "load_generator_full": true})),
            ),
            (Contender::NodeWs, Ok(json!({"server_cpu_us_per_delivery": 6.5}))),
            (Contender::FastApi, Err("follower 7 got message 3 twice".to_owned())),
        ];
        for (contender, outcome) in outcomes {
            let measurement = Measurement::FanOut1000;
            record.runs.push(Run { round: 0, contender, measurement, outcome });
        }
        record.runs.push(Run {
            round: 0,
            contender: Contender::Madang,
            measurement: Measurement::Storm,
            outcome: Ok(json!({"clients": 10_000, "last_s": 4.25, "refused": 0})),
        });
        record.runs.push(Run {
            round: 0,
            contender: Contender::Madang,
            measurement: Measurement::Stalled,
            outcome: Err("99 of 100 are closed".to_owned()),
        });
        record.absent.push((Contender::Nats, "no apt-get here".to_owned()));
        let text = section(&record);
        for expected in [
            "| Node ws | 0.015 |",
            "| Node ws | 6.50 |",
            "| Madang | 0.10 \\* |",
            "| FastAPI + uvicorn | failed (1) |",
            "| 1 | FastAPI + uvicorn | fan-out-1000 | failed: follower 7 got message 3 twice |",
            "| nats-server | no apt-get here |",
            "| 10,000 | — | — | 4.25 | — | 0 | — | — |",
            "| failed (2) | failed (2) |",
            "| 2 | Madang | stalled | failed: 99 of 100 are closed |",
            "| 8,000 | — | — | — |",
        ] {
            assert!(text.contains(expected), "{expected} is not in:\n{text}");
        }
        assert!(!text.contains("| uWebSockets"), "who was not measured has no row");
    }
}
