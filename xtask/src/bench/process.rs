//! Programs that end when they are let go of, and that are waited for only so long.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// How many of its last lines tell why a program ended.
const LINES_TOLD: usize = 3;

/// A program that runs on one core, and is killed by the system when this process ends in whatever
/// way.
pub(super) fn pinned(core: usize, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "taskset", "--cpu-list", &core.to_string()]);
    command.arg(program);
    command
}

/// A running program; dropping it ends it.
pub(super) struct Running {
    child: Child,
    said: Receiver<(Stream, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Output,
    Errors,
}

/// What a program left behind.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) is_success: bool,
    pub(super) output: String,
    pub(super) errors: String,
}

impl Running {
    fn spawn(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().with_context(|| format!("{program} does not start"))?;
        let (hears, said) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            listen(Stream::Output, output, hears.clone());
        }
        if let Some(errors) = child.stderr.take() {
            listen(Stream::Errors, errors, hears);
        }
        Ok(Self { child, said })
    }

    /// Starts a server and waits until it says that it is ready.
    pub(super) fn start(command: &mut Command, ready: &str, limit: Duration) -> Result<Self> {
        let server = Self::spawn(command)?;
        let deadline = now() + limit;
        let mut last = Vec::new();
        loop {
            match server.said.recv_timeout(deadline.saturating_duration_since(now())) {
                Ok((_, line)) if line.contains(ready) => return Ok(server),
                Ok((_, line)) => last.push(line),
                Err(RecvTimeoutError::Timeout) => {
                    bail!("it did not listen within {} s{}", limit.as_secs(), told(&last))
                }
                Err(RecvTimeoutError::Disconnected) => bail!("it ended{}", told(&last)),
            }
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it said since it was asked the last time, in short.
    pub(super) fn said(&self) -> String {
        told(&self.said.try_iter().map(|(_, line)| line).collect::<Vec<_>>())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Either fails only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end, or ends it.
pub(super) fn finish(command: &mut Command, limit: Duration) -> Result<Ended> {
    let mut running = Running::spawn(command)?;
    let deadline = now() + limit;
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    loop {
        match running.said.recv_timeout(deadline.saturating_duration_since(now())) {
            Ok((Stream::Output, line)) => output.push(line),
            Ok((Stream::Errors, line)) => errors.push(line),
            Err(RecvTimeoutError::Timeout) => {
                bail!("it took longer than {} s{}", limit.as_secs(), told(&errors))
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let is_success = running.child.wait()?.success();
    Ok(Ended { is_success, output: output.join("\n"), errors: errors.join("\n") })
}

/// Runs a program that installs something.
///
/// # Errors
///
/// Says what the program said last, when it fails or is not done in time.
pub(super) fn install(command: &mut Command, limit: Duration) -> Result<()> {
    // Without folders, which are of no interest to who reads a report.
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    let line = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let ended = finish(command, limit).with_context(|| line.clone())?;
    if ended.is_success {
        return Ok(());
    }
    let lines: Vec<String> =
        ended.output.lines().chain(ended.errors.lines()).map(str::to_owned).collect();
    bail!("{line} failed{}", told(&lines))
}

fn told(lines: &[String]) -> String {
    let last = &lines[lines.len().saturating_sub(LINES_TOLD)..];
    if last.is_empty() { String::new() } else { format!(": {}", last.join(" / ")) }
}

/// Ends with its stream.
fn listen(stream: Stream, from: impl Read + Send + 'static, hears: Sender<(Stream, String)>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n') {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line).into_owned();
            // Nobody listens any more, but who speaks must not be held up.
            let _ = hears.send((stream, line));
        }
    });
}

#[expect(clippy::disallowed_methods, reason = "this is a shell: it bounds how long it waits")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn shell(script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        shell
    }

    #[test]
    fn what_a_program_said_is_kept_apart() {
        let ended = finish(&mut shell("echo a; echo b >&2; exit 1"), PATIENCE).unwrap();
        assert_eq!((ended.output.as_str(), ended.errors.as_str()), ("a", "b"));
        assert!(!ended.is_success);
    }

    #[test]
    fn what_cannot_be_installed_says_why_and_not_where() {
        let mut fails = Command::new("/bin/sh");
        fails.args(["-c", "echo no network >&2; exit 1"]);
        let error = install(&mut fails, PATIENCE).unwrap_err().to_string();
        assert!(error.starts_with("sh -c") && error.ends_with("failed: no network"), "{error}");
    }

    #[test]
    fn a_program_that_never_ends_is_ended() {
        let error = finish(&mut shell("exec cat /dev/zero >/dev/null"), Duration::from_millis(1));
        assert!(error.unwrap_err().to_string().contains("took longer"));
    }

    #[test]
    fn a_server_is_there_when_it_says_so_and_gone_when_it_is_let_go_of() {
        let script = "echo starting; echo listening on 1; exec cat /dev/zero >/dev/null";
        let server = Running::start(&mut shell(script), "listening", PATIENCE).unwrap();
        let process = format!("/proc/{}", server.id());
        assert!(Path::new(&process).exists());
        drop(server);
        assert!(!Path::new(&process).exists());
    }

    #[test]
    fn a_server_that_ends_at_once_says_why() {
        let error = Running::start(&mut shell("echo no port >&2"), "listening", PATIENCE);
        assert_eq!(error.err().unwrap().to_string(), "it ended: no port");
    }
}
