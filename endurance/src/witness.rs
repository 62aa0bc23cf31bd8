//! Somebody who follows a room over cuts, and remembers every entry in its order.

use std::time::Duration;

use common::{Position, ResyncReason, RoomName, ServerMessage};

use crate::{
    judge::Finding,
    ledger::{Line, Record},
    random::Random,
    scene::{Act, Life, Scene},
    wire::{Caller, Guest, Trouble, wait_of},
};

/// A connection lives so long at most, then the witness cuts it.
const CUT_WITHIN: Duration = Duration::from_secs(4);
/// Between two tries to connect.
const BACK_OFF: Duration = Duration::from_millis(50);

/// A witness, with all that they know.
#[derive(Debug)]
pub struct Witness {
    /// The room they follow.
    pub room: RoomName,
    /// What they heard; `None` when they never came in.
    pub record: Option<Record>,
    /// What they noticed themselves.
    pub findings: Vec<Finding>,
    guest: Option<Guest>,
    random: Random,
}

impl Witness {
    /// Somebody who has not entered yet.
    #[must_use]
    pub fn new(room: RoomName, random: Random) -> Self {
        Self { room, record: None, findings: Vec::new(), guest: None, random }
    }

    /// Follows the room until the curtain falls, and up to the head that it has then.
    pub async fn listens(mut self, mut scene: Scene) -> Self {
        loop {
            let Some(life) = scene.living().await else { return self };
            let is_last = scene.has_come_to(Act::Curtain);
            let wait = match self.listens_in(life, &mut scene, is_last).await {
                Ok(()) if is_last => return self,
                Ok(()) => Duration::ZERO,
                Err(trouble) if trouble.is_for_good() => {
                    self.is_lost(None, life);
                    return self;
                }
                Err(trouble) => {
                    scene.counts(|tally| tally.last_trouble = Some(format!("witness: {trouble}")));
                    if trouble.requires_sign_in() {
                        self.guest = None;
                    }
                    match trouble {
                        Trouble::Refused(problem) => wait_of(&problem),
                        Trouble::Cut(_) | Trouble::Silence(_) | Trouble::Nonsense(_) => {
                            self.random.part_of(BACK_OFF)
                        }
                    }
                }
            };
            let _ = tokio::time::timeout(wait, scene.life.changed()).await;
        }
    }

    /// One connection: until it ends, is cut, or, when it is the last, everything was heard.
    async fn listens_in(
        &mut self,
        life: Life,
        scene: &mut Scene,
        is_last: bool,
    ) -> Result<(), Trouble> {
        let mut caller = self.connects(life).await?;
        let head = self.joins(&mut caller, life, scene).await?;
        let cut = tokio::time::sleep(self.random.part_of(CUT_WITHIN));
        tokio::pin!(cut);
        while !(is_last && self.position().is_some_and(|position| position.seq >= head)) {
            tokio::select! {
                message = caller.next() => self.hears(message?, life)?,
                () = &mut cut, if !is_last => break,
                _ = scene.act.wait_for(|act| *act == Act::Curtain), if !is_last => break,
            }
        }
        Ok(())
    }

    async fn connects(&mut self, life: Life) -> Result<Caller, Trouble> {
        let guest = match &self.guest {
            Some(guest) => guest.clone(),
            None => Guest::enters(life.address, "witness").await?,
        };
        let caller = Caller::connects(life.address, &guest).await?;
        self.guest = Some(guest);
        Ok(caller)
    }

    /// Goes on where they are, or begins with the first entry. Answers the head's number.
    async fn joins(
        &mut self,
        caller: &mut Caller,
        life: Life,
        scene: &Scene,
    ) -> Result<u64, Trouble> {
        if let Some(position) = self.position() {
            let joined = caller.joins(&self.room, Some(position.clone())).await?;
            if joined.recovered && joined.after == position.seq {
                scene.counts(|tally| tally.resumed += 1);
                return Ok(joined.head.seq);
            }
            self.is_lost(joined.resync, life);
        }
        let epoch = caller.joins(&self.room, None).await?.head.epoch;
        let first = Position { epoch: epoch.clone(), seq: 0 };
        let joined = caller.joins(&self.room, Some(first)).await?;
        self.record = Some(Record { epoch, lines: Vec::new() });
        Ok(joined.head.seq)
    }

    fn position(&self) -> Option<Position> {
        let Record { epoch, lines } = self.record.as_ref()?;
        Some(Position { epoch: epoch.clone(), seq: lines.len() as u64 })
    }

    fn hears(&mut self, message: ServerMessage, life: Life) -> Result<(), Trouble> {
        if let ServerMessage::Entry(entry) = message {
            return self.remembers(entry.into());
        }
        if let ServerMessage::Resync { reason, .. } = message {
            self.is_lost(Some(reason), life);
            return Err(Trouble::Nonsense("a resync in the middle of following".to_owned()));
        }
        Ok(())
    }

    fn is_lost(&mut self, reason: Option<ResyncReason>, life: Life) {
        let room = self.room.clone();
        self.findings.push(Finding::NotResumed { room, reason, life: life.number });
    }

    fn remembers(&mut self, line: Line) -> Result<(), Trouble> {
        let Some(Record { lines, .. }) = &mut self.record else { return Ok(()) };
        let expected = lines.len() as u64 + 1;
        if line.seq == expected {
            lines.push(line);
        } else if line.seq > expected {
            self.findings.push(Finding::Gap { expected, seq: line.seq });
            // The next connection asks from the position.
            return Err(Trouble::Nonsense(format!("{} came before {expected}", line.seq)));
        } else if usize::try_from(line.seq).is_ok_and(|seq| lines.get(seq - 1) != Some(&line)) {
            self.findings.push(Finding::HeardOtherwise { seq: line.seq });
        }
        Ok(())
    }
}
