//! What came of a bench, run by run, and what can be read from it.

use serde_json::{Value, json};

use super::{contender::Contender, measurement::Measurement, numbers};

/// Everything that a report is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Record {
    /// Machine, versions, time: what it is and what was found, in the order of the report.
    pub(super) about: Vec<(String, String)>,
    /// Who could not be installed, and why.
    pub(super) absent: Vec<(Contender, String)>,
    pub(super) runs: Vec<Run>,
}

/// One contender, asked one thing, in one round.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) round: usize,
    pub(super) contender: Contender,
    pub(super) measurement: Measurement,
    /// loadgen's JSON, or why there is no figure.
    pub(super) outcome: Result<Value, String>,
}

/// One number of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Figure {
    pub(super) measurement: Measurement,
    /// Where it stands in loadgen's JSON (RFC 6901).
    pub(super) pointer: &'static str,
}

impl Run {
    fn figure(&self, pointer: &str) -> Option<f64> {
        self.outcome.as_ref().ok()?.pointer(pointer)?.as_f64()
    }
}

impl Record {
    pub(super) fn runs_of(
        &self,
        contender: Contender,
        measurement: Measurement,
    ) -> impl Iterator<Item = &Run> {
        let is_meant =
            move |run: &&Run| run.contender == contender && run.measurement == measurement;
        self.runs.iter().filter(is_meant)
    }

    /// Why a measurement gave no figure in one of its rounds.
    pub(super) fn failure(&self, contender: Contender, measurement: Measurement) -> Option<&str> {
        self.runs_of(contender, measurement)
            .find_map(|run| run.outcome.as_ref().err())
            .map(|it| it.as_str())
    }

    /// The median over the rounds; nothing when one of them failed.
    pub(super) fn median(&self, contender: Contender, figure: Figure) -> Option<f64> {
        numbers::median(&self.figures(contender, figure))
    }

    /// What was measured, round by round; nothing when one of them failed.
    pub(super) fn figures(&self, contender: Contender, figure: Figure) -> Vec<f64> {
        if self.failure(contender, figure.measurement).is_some() {
            return Vec::new();
        }
        let runs = self.runs_of(contender, figure.measurement);
        runs.filter_map(|run| run.figure(figure.pointer)).collect()
    }

    /// The median of what one is of the other in the same round; nothing when a round failed.
    pub(super) fn ratio(
        &self,
        above: (Contender, Figure),
        below: (Contender, Figure),
    ) -> Option<f64> {
        numbers::median(&self.ratios(above, below))
    }

    /// What one is of the other, round by round; nothing when a round failed.
    pub(super) fn ratios(
        &self,
        (above, of_above): (Contender, Figure),
        (below, of_below): (Contender, Figure),
    ) -> Vec<f64> {
        let has_failed = self.failure(above, of_above.measurement).is_some()
            || self.failure(below, of_below.measurement).is_some();
        if has_failed {
            return Vec::new();
        }
        let mut ratios = Vec::new();
        for run in self.runs_of(above, of_above.measurement) {
            let other = self.runs_of(below, of_below.measurement).find(|it| it.round == run.round);
            let other = other.and_then(|other| other.figure(of_below.pointer));
            if let (Some(above), Some(below)) = (run.figure(of_above.pointer), other)
                && below > 0.0
            {
                ratios.push(above / below);
            }
        }
        ratios
    }

    /// Whether loadgen, and not the server, was what held a measurement back.
    pub(super) fn was_held_back(&self, contender: Contender, measurement: Measurement) -> bool {
        let is_full = |run: &Run| {
            let full = |json: &Value| json.get("load_generator_full").and_then(Value::as_bool);
            run.outcome.as_ref().is_ok_and(|json| full(json) == Some(true))
        };
        self.runs_of(contender, measurement).any(is_full)
    }

    /// One JSON object on each line, so that a bench that was ended leaves what it had.
    pub(super) fn lines(&self) -> String {
        let about = self.about.iter().map(|(what, found)| json!({"about": what, "found": found}));
        let absent =
            self.absent.iter().map(|(who, why)| json!({"absent": who.name(), "failed": why}));
        let runs = self.runs.iter().map(|run| {
            let mut line = json!({
                "round": run.round,
                "contender": run.contender.name(),
                "measurement": run.measurement.name(),
            });
            match &run.outcome {
                Ok(figures) => line["figures"] = figures.clone(),
                Err(why) => line["failed"] = json!(why),
            }
            line
        });
        about.chain(absent).chain(runs).map(|line| format!("{line}\n")).collect()
    }

    /// Reads what `lines` wrote.
    ///
    /// # Errors
    ///
    /// Shows the line that says nothing.
    pub(super) fn read(lines: &str) -> Result<Self, String> {
        let mut record = Self::default();
        for line in lines.lines() {
            let read = serde_json::from_str(line).ok().and_then(|json| record.take(&json));
            read.ok_or_else(|| format!("this is no line of a record: {line}"))?;
        }
        Ok(record)
    }

    fn take(&mut self, line: &Value) -> Option<()> {
        let text = |key: &str| line.get(key).and_then(Value::as_str);
        if let Some(what) = text("about") {
            self.about.push((what.to_owned(), text("found")?.to_owned()));
        } else if let Some(who) = text("absent") {
            self.absent.push((Contender::named(who)?, text("failed")?.to_owned()));
        } else {
            self.runs.push(Run {
                round: usize::try_from(line.get("round")?.as_u64()?).ok()?,
                contender: Contender::named(text("contender")?)?,
                measurement: Measurement::named(text("measurement")?)?,
                outcome: match text("failed") {
                    Some(why) => Err(why.to_owned()),
                    None => Ok(line.get("figures")?.clone()),
                },
            });
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU: Figure = Figure { measurement: Measurement::FanOut1000, pointer: "/cpu" };

    fn run(round: usize, contender: Contender, outcome: Result<f64, &str>) -> Run {
        let outcome = outcome.map(|cpu| json!({"cpu": cpu})).map_err(str::to_owned);
        Run { round, contender, measurement: Measurement::FanOut1000, outcome }
    }

    fn three_rounds() -> Record {
        let mut record = Record::default();
        // The machine is half as fast in the last round, for both.
        for (round, (ours, theirs)) in [(1.0, 2.0), (1.2, 2.0), (2.0, 4.0)].into_iter().enumerate()
        {
            record.runs.push(run(round, Contender::Madang, Ok(ours)));
            record.runs.push(run(round, Contender::Warp, Ok(theirs)));
        }
        record
    }

    #[test]
    fn a_ratio_is_of_figures_of_the_same_round() {
        let record = three_rounds();
        assert_eq!(record.median(Contender::Madang, CPU), Some(1.2));
        let ratio = record.ratio((Contender::Madang, CPU), (Contender::Warp, CPU));
        assert_eq!(ratio, Some(0.5));
        assert_eq!(record.ratio((Contender::Madang, CPU), (Contender::Nats, CPU)), None);
    }

    #[test]
    fn where_one_round_failed_there_is_no_figure() {
        let mut record = three_rounds();
        record.runs.push(run(3, Contender::Warp, Err("1 delivery is missing")));
        assert_eq!(record.median(Contender::Warp, CPU), None);
        assert_eq!(record.ratio((Contender::Madang, CPU), (Contender::Warp, CPU)), None);
        assert_eq!(
            record.failure(Contender::Warp, Measurement::FanOut1000),
            Some("1 delivery is missing")
        );
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let mut record = three_rounds();
        record.runs.push(run(3, Contender::Warp, Err("said \"no\"\n")));
        record.absent.push((Contender::Nats, "no apt-get".to_owned()));
        record.about.push(("Machine".to_owned(), "two cores".to_owned()));
        assert_eq!(Record::read(&record.lines()), Ok(record));
        assert!(Record::read("{}").is_err());
    }
}
