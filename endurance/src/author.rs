//! Somebody who says one message after the other, each again until it is acknowledged, and writes
//! down every promise.

use std::time::Duration;

use common::{Body, MessageId, RoomName};

use crate::{
    judge::Finding,
    ledger::{Acked, Ledger, Said},
    random::Random,
    scene::{Act, Life, Scene},
    wire::{Caller, Guest, Trouble, wait_of},
};

/// So many in a hundred messages are followed by an old one that is said again.
const AGAIN_PERCENT: usize = 4;
/// So many in a hundred messages fill more than a page of a store.
const LONG_PERCENT: usize = 2;
/// Characters of a long message.
const LONG_CHARS: usize = 3_900;
/// Between two tries to connect; long enough to leave the server to the others.
const BACK_OFF: Duration = Duration::from_millis(50);

/// An author, with all that they know.
#[derive(Debug)]
pub struct Author {
    /// The room they speak in.
    pub room: RoomName,
    /// One for each session they had; one, if the server keeps its promises.
    pub ledgers: Vec<Ledger>,
    /// What they noticed themselves.
    pub findings: Vec<Finding>,
    name: String,
    guest: Option<Guest>,
    /// So many messages of this session were sent at least once.
    sent: usize,
    /// Something was refused for good: there is nothing more to do.
    gave_up: bool,
    random: Random,
}

impl Author {
    /// Somebody who has not entered yet.
    #[must_use]
    pub fn new(name: String, room: RoomName, random: Random) -> Self {
        let (ledgers, findings) = (Vec::new(), Vec::new());
        Self { room, ledgers, findings, name, guest: None, sent: 0, gave_up: false, random }
    }

    /// Speaks until the run has come to its last words and the last was acknowledged.
    pub async fn speaks(mut self, mut scene: Scene) -> Self {
        while !self.is_done(&scene) {
            let Some(life) = scene.living().await else { break };
            let Err(trouble) = self.speaks_in(life, &scene).await else { break };
            self.notes(&trouble, life, &scene);
            let mut wait = self.random.part_of(BACK_OFF);
            if let Trouble::Refused(problem) = trouble {
                wait = wait_of(&problem);
            }
            let _ = tokio::time::timeout(wait, scene.life.changed()).await;
        }
        self
    }

    async fn speaks_in(&mut self, life: Life, scene: &Scene) -> Result<(), Trouble> {
        let guest = match &self.guest {
            Some(guest) => guest.clone(),
            None => self.enters(life).await?,
        };
        let mut caller = Caller::connects(life.address, &guest).await?;
        caller.joins(&self.room, None).await?;
        // What was promised in an earlier life holds in this one.
        if let Some(number) = self.some_old_message() {
            self.says(&mut caller, number, life, scene).await?;
        }
        while !self.is_done(scene) {
            let number = self.next_number();
            self.says(&mut caller, number, life, scene).await?;
            if self.random.chance(AGAIN_PERCENT)
                && let Some(number) = self.some_old_message()
            {
                self.says(&mut caller, number, life, scene).await?;
            }
        }
        Ok(())
    }

    async fn enters(&mut self, life: Life) -> Result<Guest, Trouble> {
        let guest = Guest::enters(life.address, &self.name).await?;
        self.ledgers.push(Ledger::new(guest.id.clone()));
        self.sent = 0;
        self.guest = Some(guest.clone());
        Ok(guest)
    }

    /// Says one message until it is acknowledged or refused for good.
    async fn says(
        &mut self,
        caller: &mut Caller,
        number: usize,
        life: Life,
        scene: &Scene,
    ) -> Result<(), Trouble> {
        let Said { message_id, body, acked } = self.ledger().said[number].clone();
        let is_new = acked.is_none();
        // One that was sent before may have been kept before.
        let was_barren = number == self.sent && *scene.barren.borrow();
        self.sent = self.sent.max(number + 1);
        loop {
            match caller.says(&self.room, &message_id, &body).await {
                Ok(position) => {
                    let acked = Acked { position, life: life.number };
                    if was_barren && *scene.barren.borrow() {
                        let (message_id, acked) = (message_id.clone(), acked.clone());
                        self.findings.push(Finding::Impossible { message_id, acked });
                    }
                    let found = self.ledger().acked(number, acked);
                    self.findings.extend(found);
                    scene.counts(|tally| {
                        *(if is_new { &mut tally.acks } else { &mut tally.resends }) += 1;
                    });
                    return Ok(());
                }
                Err(Trouble::Refused(problem)) if problem.retryable => {
                    scene.counts_refusal(&problem);
                    tokio::time::sleep(wait_of(&problem)).await;
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// The message that waits for its ack, or a new one.
    fn next_number(&mut self) -> usize {
        let is_free = self.ledger().said.last().is_none_or(|said| said.acked.is_some());
        if is_free {
            let number = self.ledger().said.len();
            let (chance, more) = (self.random.number(), self.random.number());
            let message_id = MessageId::new(format!("{chance:016x}{more:016x}"));
            let message_id = message_id.expect("hexadecimal digits are a token");
            let long = if self.random.chance(LONG_PERCENT) { LONG_CHARS } else { 0 };
            let length = long + self.random.below(48);
            let text = format!("{} {number} {}", self.name, "가".repeat(length));
            let body = Body::new(text.trim_end()).expect("it is not empty and short enough");
            self.ledger().said.push(Said { message_id, body, acked: None });
        }
        self.ledger().said.len() - 1
    }

    /// One that was acknowledged; as often the last one as any other.
    fn some_old_message(&mut self) -> Option<usize> {
        let said = &self.ledgers.last()?.said;
        let acked = said.iter().rposition(|said| said.acked.is_some())? + 1;
        let any = self.random.below(acked);
        Some(if self.random.chance(50) { acked - 1 } else { any })
    }

    fn is_done(&self, scene: &Scene) -> bool {
        let last = self.ledgers.last().and_then(|ledger| ledger.said.last());
        let waits = last.is_some_and(|said| said.acked.is_none());
        self.gave_up || (scene.has_come_to(Act::LastWords) && !waits)
    }

    fn ledger(&mut self) -> &mut Ledger {
        self.ledgers.last_mut().expect("whoever speaks has entered")
    }

    /// What follows from a connection that did not come about or ended.
    fn notes(&mut self, trouble: &Trouble, life: Life, scene: &Scene) {
        scene.counts(|tally| tally.last_trouble = Some(format!("{}: {trouble}", self.name)));
        match trouble {
            _ if trouble.requires_sign_in() => self.signed_out(life),
            Trouble::Refused(problem) if problem.retryable => scene.counts_refusal(problem),
            Trouble::Refused(problem) => {
                // Nothing that an author does is to be refused for good.
                let (room, problem) = (self.room.clone(), problem.clone());
                self.findings.push(Finding::Refused { room, problem, life: life.number });
                self.gave_up = true;
            }
            Trouble::Cut(_) | Trouble::Silence(_) | Trouble::Nonsense(_) => {}
        }
    }

    /// A session that was never used for anything durable may be gone with the server that gave it.
    fn signed_out(&mut self, life: Life) {
        self.guest = None;
        if let Some(ledger) = self.ledgers.last()
            && ledger.has_promises()
        {
            let author = ledger.author.clone();
            self.findings.push(Finding::SignedOut { author, life: life.number });
        }
    }
}
