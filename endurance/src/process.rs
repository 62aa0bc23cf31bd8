//! The server as a process: started, stopped in its tracks, killed.

use std::{
    fs::OpenOptions,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::{deadline, tool, wire};

/// Between two questions whether it is ready.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// How the server is started, each time.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// Flags beyond the address and the data directory.
    pub flags: Vec<String>,
    /// Its data directory.
    pub data: PathBuf,
    /// Where it listens; port 0 for one that is free.
    pub listen: SocketAddr,
    /// Where its log lines go.
    pub log: PathBuf,
}

/// A server that was started. It is killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts it, and waits for nothing.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn starts(&self) -> anyhow::Result<Process> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("{}", self.log.display()))?;
        let child = Command::new(&self.path)
            .args(["--listen", &self.listen.to_string(), "--data-dir"])
            .arg(&self.data)
            .args(&self.flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.path.display()))?;
        Ok(Process { child, log: self.log.clone() })
    }

    /// The server that was built together with this program or test.
    ///
    /// # Errors
    /// It is not there; the error says how to build it.
    pub fn beside_this() -> anyhow::Result<PathBuf> {
        let this = std::env::current_exe()?;
        // Tests are one folder deeper than programs.
        let beside = this.ancestors().skip(1).take(2).map(|folder| folder.join("server"));
        let found = beside.into_iter().find(|path| path.is_file());
        found.context("no server is here: cargo build --package server, or name one by --server")
    }

    /// Whether it knows these flags.
    pub async fn knows(path: &Path, flags: &[&str]) -> bool {
        let asked = Command::new(path).args(flags).arg("--version").output();
        let answer = deadline::within(deadline::ANSWER, "the server's version", asked).await;
        answer.is_ok_and(|answer| answer.is_ok_and(|output| output.status.success()))
    }
}

impl Process {
    /// Waits until it says where it is and takes connections.
    ///
    /// # Errors
    /// It ended or is not ready in good time; the error has the end of its log.
    pub async fn is_ready(&mut self) -> anyhow::Result<SocketAddr> {
        let ready = deadline::within(deadline::RECOVERY, "a ready server", self.becomes_ready());
        match ready.await {
            Ok(Ok(address)) => Ok(address),
            Ok(Err(error)) | Err(error) => Err(error.context(self.last_words())),
        }
    }

    async fn becomes_ready(&mut self) -> anyhow::Result<SocketAddr> {
        let stdout = self.child.stdout.take().context("it is waited for once")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = loop {
            let Some(line) = lines.next_line().await? else { bail!("the server ended at once") };
            if let Some((_, after)) = line.split_once("http://") {
                break after.trim_end_matches('/').parse().with_context(|| line.clone())?;
            }
        };
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended: {status}");
            }
            match wire::ask(address, "GET", "/readyz", "", "").await {
                Ok(answer) if answer.status == 200 => return Ok(address),
                Ok(_) | Err(_) => tokio::time::sleep(ASK_AGAIN).await,
            }
        }
    }

    /// Its process id.
    ///
    /// # Errors
    /// It has ended.
    pub fn id(&self) -> anyhow::Result<String> {
        self.child.id().map(|id| id.to_string()).context("the server has ended")
    }

    /// Stops it where it is (SIGSTOP): it does nothing more, and does not know.
    ///
    /// # Errors
    /// It has ended.
    pub async fn freezes(&self) -> anyhow::Result<()> {
        tool::run("kill", &["-STOP", &self.id()?]).await.map(drop)
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    ///
    /// # Errors
    /// It had ended by itself before, or does not go.
    pub async fn is_killed(mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended by itself: {status}\n{}", self.last_words());
        }
        deadline::within(deadline::RECOVERY, "the end of the server", self.child.kill()).await??;
        Ok(())
    }

    fn last_words(&self) -> String {
        const LINES: usize = 8;
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
        format!("the server's last words ({}):\n{last}", self.log.display())
    }
}
