//! A tracer that lets system calls of a process fail, as a broken disk or a read-only one would.

use std::{path::PathBuf, process::Stdio, time::Duration};

use anyhow::Context as _;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::{deadline, tool};

/// What is to fail.
#[derive(Clone, Debug)]
pub struct Failure {
    /// System calls, as strace names them, with commas.
    pub calls: &'static str,
    /// The error that they answer.
    pub error: &'static str,
    /// Which of them, as strace says it, such as `:when=2+3`; nothing for all.
    pub when: &'static str,
    /// Only on these files; none for all.
    pub files: Vec<PathBuf>,
}

/// A tracer. It lets go when dropped.
#[derive(Debug)]
pub struct Tracer {
    tracer: Child,
}

impl Tracer {
    /// Lets calls of this process fail from here on.
    ///
    /// # Errors
    /// strace is not here or cannot attach.
    pub async fn begins(process: &str, failure: &Failure) -> anyhow::Result<Self> {
        let Failure { calls, error, when, files } = failure;
        let mut strace = Command::new("strace");
        strace
            .args(["-f", "-p", process, "-o", "/dev/null", "-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:error={error}{when}")]);
        for file in files {
            strace.arg("-P").arg(file);
        }
        strace.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut tracer = strace.spawn()?;
        let stderr = tracer.stderr.take().context("it is piped")?;
        let mut lines = BufReader::new(stderr).lines();
        let attached = async {
            while let Some(said) = lines.next_line().await? {
                // It says first which names it looks for.
                if said.contains("attached") {
                    return Ok(());
                }
                anyhow::ensure!(said.contains("Requested path"), "{said}");
            }
            anyhow::bail!("it ended")
        };
        deadline::within(deadline::ANSWER, "strace to attach", attached).await??;
        // What else it says is read, so that it can go on saying it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { tracer })
    }

    /// Lets go: nothing fails any more.
    ///
    /// # Errors
    /// It ended before, or does not let go.
    pub async fn ends(mut self) -> anyhow::Result<()> {
        let id = self.tracer.id().context("strace ended by itself")?.to_string();
        // It lets go of every thread before it ends.
        tool::run("kill", &["-INT", &id]).await?;
        let ended = self.tracer.wait();
        deadline::within(Duration::from_secs(20), "strace to let go", ended).await??;
        Ok(())
    }
}
