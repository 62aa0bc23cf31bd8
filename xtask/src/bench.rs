//! `cargo xtask bench`: the server beside others, in one run, on one machine.
//!
//! It must never show a figure of a run in which something was lost, doubled or out of order, and
//! never leave a program behind. Read in this order: `contender` and `measurement` (who is asked
//! what), `turns` (one after the other), `record` (what came of it), `report` and `chart` (what is
//! shown of that), and at last `prepare`, `machine`, `process`, `section` and `numbers`.

mod contender;

mod measurement;

mod turns;

mod record;

mod report;

mod chart;

mod prepare;

mod machine;

mod process;

mod section;

mod numbers;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use self::{
    contender::Contender,
    measurement::{Effort, Measurement},
    record::{Record, Run},
    turns::Stage,
};
use crate::place;

/// The name of the markers in docs/benchmarks.md.
const SECTION: &str = "peers";

/// Where the runs of a whole bench are kept.
const RECORD: &str = "record.jsonl";

/// What a bench is about.
struct Scope {
    effort: Effort,
    /// As many as the effort has, unless it was said how many.
    rounds: Option<usize>,
    contenders: Vec<Contender>,
    measurements: Vec<Measurement>,
    /// Whether it is about everybody and everything: only then the document is written.
    is_whole: bool,
}

/// Measures, and writes its part of docs/benchmarks.md with the plots beside it.
pub(crate) fn bench(words: &[&str]) -> Result<()> {
    if words == ["--report"] {
        let lines =
            fs::read_to_string(folder().join(RECORD)).context("no bench has left a record yet")?;
        return publish(
            &Record::read(&lines).map_err(anyhow::Error::msg)?,
            &place::root().join("docs"),
        );
    }
    let scope = scope(words)?;
    let cores = std::thread::available_parallelism()?.get();
    ensure!(cores >= 2, "a bench needs two cores, one for the server and one for the load");
    let record = measure(&scope)?;
    if scope.is_whole {
        return publish(&record, &place::root().join("docs"));
    }
    let beside = folder().join("part");
    publish(&record, &beside)?;
    eprintln!("{}", fs::read_to_string(beside.join("benchmarks.md"))?);
    Ok(())
}

impl Scope {
    fn rounds(&self) -> usize {
        self.rounds.unwrap_or(self.effort.rounds())
    }

    /// Who is asked anything: nobody else has to be installed.
    fn asked(&self) -> impl Iterator<Item = Contender> {
        let is_asked = |who: &Contender| self.measurements.iter().any(|what| what.concerns(*who));
        self.contenders.iter().copied().filter(is_asked)
    }

    /// What is measured of a part must not take the place of the whole.
    fn file(&self) -> &'static str {
        if self.is_whole { RECORD } else { "part.jsonl" }
    }
}

fn scope(words: &[&str]) -> Result<Scope> {
    let mut scope = Scope {
        effort: Effort::Whole,
        rounds: None,
        contenders: Vec::new(),
        measurements: Vec::new(),
        is_whole: true,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--quick" => scope.effort = Effort::Quick,
            "--rounds" => {
                let count = words.next().and_then(|count| count.parse().ok());
                scope.rounds =
                    Some(count.filter(|count| *count > 0).context("--rounds needs a number")?);
            }
            "--only" => {
                scope.is_whole = false;
                for name in words.next().copied().unwrap_or_default().split(',') {
                    match (Contender::named(name), Measurement::named(name)) {
                        (Some(contender), _) => scope.contenders.push(contender),
                        (None, Some(measurement)) => scope.measurements.push(measurement),
                        (None, None) => bail!("there is no {name:?}; there are {}", names()),
                    }
                }
            }
            other => {
                bail!("a bench knows no {other:?}: --quick, --rounds N, --only NAME,… or --report")
            }
        }
    }
    if scope.contenders.is_empty() {
        scope.contenders = Contender::ALL.to_vec();
    } else if !scope.contenders.contains(&Contender::Madang) {
        // Without the server itself there is nothing that the others could be beside.
        scope.contenders.insert(0, Contender::Madang);
    }
    if scope.measurements.is_empty() {
        scope.measurements = Measurement::ALL.to_vec();
    }
    Ok(scope)
}

fn names() -> String {
    let contenders = Contender::ALL.iter().map(|it| it.name());
    contenders.chain(Measurement::ALL.iter().map(|it| it.name())).collect::<Vec<_>>().join(", ")
}

fn measure(scope: &Scope) -> Result<Record> {
    let stage =
        Stage { loadgen: prepare::build()?, data: folder().join("data"), effort: scope.effort };
    let mut record = Record::default();
    let mut launches = Vec::new();
    for contender in scope.asked() {
        match prepare::launch(contender) {
            Ok(launch) => launches.push((contender, launch)),
            Err(error) => {
                eprintln!("not measured: {}: {error:#}", contender.title());
                record.absent.push((contender, format!("{error:#}")));
            }
        }
    }
    // After what was built, which is a load of its own.
    record.about = machine::about(scope.effort, scope.rounds());
    let before = machine::Processors::now();
    let rounds = scope.rounds();
    for round in 0..rounds {
        for &measurement in &scope.measurements {
            for (contender, launch) in &launches {
                let contender = *contender;
                if !measurement.concerns(contender) {
                    continue;
                }
                let outcome = stage.measure(launch, contender, measurement);
                let said = match &outcome {
                    Ok(figures) => figures.to_string(),
                    Err(why) => format!("failed: {why}"),
                };
                let (who, what) = (contender.name(), measurement.name());
                eprintln!("{}/{rounds} {what} {who}: {said}", round + 1);
                record.runs.push(Run { round, contender, measurement, outcome });
                fs::write(folder().join(scope.file()), record.lines())?;
            }
        }
    }
    record.about.push(machine::Processors::now().stolen_since(before));
    fs::write(folder().join(scope.file()), record.lines())?;
    if stage.data.exists() {
        fs::remove_dir_all(&stage.data)?;
    }
    Ok(record)
}

/// Where a bench keeps what it measured.
fn folder() -> PathBuf {
    place::target().join("bench")
}

/// Writes the section and the plots into a folder.
fn publish(record: &Record, docs: &Path) -> Result<()> {
    let plots = docs.join("benchmarks");
    fs::create_dir_all(&plots)?;
    for (file, svg) in report::plots(record) {
        fs::write(plots.join(file), svg)?;
    }
    let document = docs.join("benchmarks.md");
    let before = fs::read_to_string(&document).unwrap_or_default();
    let after = section::replace(&before, SECTION, &report::section(record));
    fs::write(&document, after.map_err(anyhow::Error::msg)?)?;
    eprintln!("written: {}", document.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bench_of_some_has_the_server_itself_in_it() {
        let part = scope(&["--quick", "--only", "nats,echo"]).unwrap();
        assert_eq!(part.contenders, [Contender::Madang, Contender::Nats]);
        assert_eq!(part.measurements, [Measurement::Echo]);
        assert!(!part.is_whole && part.effort == Effort::Quick);
        assert!(scope(&["--only", "nobody"]).is_err());
        let alone = scope(&["--only", "storm,resume"]).unwrap();
        assert_eq!(alone.asked().collect::<Vec<_>>(), [Contender::Madang]);
        assert_eq!(part.asked().collect::<Vec<_>>(), [Contender::Madang, Contender::Nats]);
        assert!(scope(&[]).unwrap().is_whole);
    }

    #[test]
    fn rounds_are_as_many_as_was_said_or_one_of_short_runs_or_three() {
        let rounds = |words: &[&str]| scope(words).map(|scope| scope.rounds()).ok();
        assert_eq!(rounds(&[]), Some(3));
        assert_eq!(rounds(&["--quick"]), Some(1));
        assert_eq!(rounds(&["--rounds", "2", "--quick", "--only", "echo"]), Some(2));
        for none in [&["--rounds"][..], &["--rounds", "0"], &["--rounds", "some"]] {
            assert_eq!(rounds(none), None);
        }
        assert!(scope(&["--quick", "--rounds", "3"]).unwrap().is_whole);
    }
}
