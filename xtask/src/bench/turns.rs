//! One contender after the other is started, asked one thing, and ended.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    contender::Contender,
    measurement::{Effort, Measurement},
    prepare::Launch,
    process::{self, Ended, Running},
};

/// Where the server runs.
const SERVER_CORE: usize = 0;
/// Where loadgen runs.
const LOAD_CORE: usize = 1;
/// How long a server may take until it listens.
const STARTING_MAX: Duration = Duration::from_secs(30);

/// The programs of a bench.
pub(super) struct Stage {
    pub(super) loadgen: PathBuf,
    /// Where a server keeps what it keeps; emptied before every start.
    pub(super) data: PathBuf,
    pub(super) effort: Effort,
}

impl Stage {
    /// loadgen's JSON, or why there is no figure.
    pub(super) fn measure(
        &self,
        launch: &Launch,
        contender: Contender,
        measurement: Measurement,
    ) -> Result<Value, String> {
        self.try_measure(launch, contender, measurement)
            .unwrap_or_else(|error| Err(format!("{error:#}")))
    }

    fn try_measure(
        &self,
        launch: &Launch,
        contender: Contender,
        measurement: Measurement,
    ) -> Result<Result<Value, String>> {
        let (server, port) =
            self.start(launch, measurement).context("the server does not start")?;
        let mut loadgen = process::pinned(LOAD_CORE, &self.loadgen);
        loadgen
            .args(measurement.words(contender, self.effort))
            .args(["--server", &format!("127.0.0.1:{port}")])
            .args(["--process", &server.id().to_string(), "--json"]);
        // Madang's own needs no word, and what only Madang is asked knows no other.
        if contender != Contender::Madang {
            loadgen.args(["--dialect", contender.dialect()]);
        }
        let limit = Duration::from_secs(measurement.seconds_max());
        let outcome = outcome(&process::finish(&mut loadgen, limit)?);
        Ok(outcome.map_err(|why| format!("{why}{}", server.said())))
    }

    fn start(&self, launch: &Launch, measurement: Measurement) -> Result<(Running, u16)> {
        if self.data.exists() {
            fs::remove_dir_all(&self.data)?;
        }
        fs::create_dir_all(&self.data)?;
        // Free a moment ago; whoever takes it in between lets this start fail, and nothing else.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let data = self.data.to_string_lossy();
        let mut server: Command = process::pinned(SERVER_CORE, &launch.program);
        let filled =
            |word: &String| word.replace("{port}", &port.to_string()).replace("{data}", &data);
        server.args(launch.words.iter().map(filled)).env("PORT", port.to_string());
        if !measurement.is_within_limits() {
            server.args(&launch.unlimited);
        }
        Ok((Running::start(&mut server, launch.ready, STARTING_MAX)?, port))
    }
}

fn outcome(ended: &Ended) -> Result<Value, String> {
    let last = ended.output.lines().last().unwrap_or_default();
    let json: Option<Value> = serde_json::from_str(last).ok();
    let failed = json.as_ref().and_then(|json| json.get("failed")).and_then(Value::as_str);
    match (failed, json.as_ref()) {
        (Some(why), _) => Err(why.to_owned()),
        (None, Some(figures)) if ended.is_success => found(figures),
        (None, _) => {
            let said = ended.errors.lines().last().unwrap_or("it said nothing");
            Err(format!("no figure: {said}"))
        }
    }
}

/// A search for the most that goes through has to have found it, and half of it goes through too
/// unless the machine was busy with other things. What one rate costs is only known of a rate that
/// was kept up.
fn found(figures: &Value) -> Result<Value, String> {
    if figures.get("best").is_some_and(Value::is_null) {
        return Err("no rate was kept up in time".to_owned());
    }
    if figures.pointer("/half/kept").and_then(Value::as_bool) == Some(false) {
        return Err("half of the best rate was not kept up: the machine was not quiet".to_owned());
    }
    if figures.pointer("/step/kept").and_then(Value::as_bool) == Some(false) {
        return Err("the rate was not kept up".to_owned());
    }
    Ok(figures.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_run_that_went_well_has_figures() {
        let ended = |is_success, output: &str, errors: &str| {
            outcome(&Ended { is_success, output: output.to_owned(), errors: errors.to_owned() })
        };
        assert_eq!(ended(true, "{\"a\":1}", ""), Ok(json!({"a": 1})));
        assert_eq!(ended(false, "{\"failed\":\"lost 3\"}", "x"), Err("lost 3".to_owned()));
        assert_eq!(ended(true, "{\"failed\":\"lost 3\"}", ""), Err("lost 3".to_owned()));
        assert_eq!(ended(false, "{\"a\":1}", "b\npanicked"), Err("no figure: panicked".to_owned()));
        assert!(ended(true, "{\"best\":null}", "").is_err());
        assert!(ended(true, "{\"best\":{},\"half\":{\"kept\":false}}", "").is_err());
        assert!(ended(true, "{\"best\":{},\"half\":{\"kept\":true}}", "").is_ok());
        assert!(ended(true, "{\"step\":{\"kept\":false}}", "").is_err());
        assert!(ended(true, "{\"step\":{\"kept\":true}}", "").is_ok());
        assert_eq!(ended(false, "", ""), Err("no figure: it said nothing".to_owned()));
    }
}
