//! How far each person has read each room.

use std::sync::Arc;

use common::{
    Member, Position, Problem, RoomName,
    http::{Keep, Unread},
};

use super::{Live, Marked, history};
use crate::{contact::Contact, log::Change};

impl Live {
    /// Somebody says that they have read a room up to a position. The answer comes into the
    /// mailbox, when it is durable; `tell` hears of it too.
    ///
    /// # Errors
    /// The position is none of this log.
    pub fn mark(
        self: &Arc<Self>,
        id: u64,
        reader: Arc<Member>,
        (room, position): (RoomName, Position),
        contact: &Arc<Contact>,
        tell: impl FnOnce(&RoomName, Unread) + Send + 'static,
    ) -> Result<(), Problem> {
        let record = self.record_for(&room, &reader.id)?;
        self.may_read_page(&reader.id)?;
        history::check_position(&position, &record, record.head.seq)?;
        if record.keep == Keep::None {
            // Nothing is kept, and nothing is behind it.
            let unread = Unread { read: position.seq, ..Unread::default() };
            contact.mailbox().marked(Marked { id: Some(id), room, outcome: Ok(unread) });
            return Ok(());
        }
        let (live, contact) = (Arc::clone(self), Arc::downgrade(contact));
        tokio::spawn(async move {
            let mark =
                Change::Mark { reader: reader.id.clone(), room: room.clone(), seq: position.seq };
            let outcome = async {
                live.log.change(mark).await?;
                let unread = live.unread(&room, &reader).await?;
                // Whoever was sent away meanwhile learns nothing of what came after.
                live.record_for(&room, &reader.id)?;
                Ok(unread.unwrap_or_default())
            };
            let outcome = outcome.await;
            if let Ok(unread) = outcome {
                tell(&room, unread);
            }
            if let Some(contact) = contact.upgrade() {
                contact.mailbox().marked(Marked { id: Some(id), room, outcome });
            }
        });
        Ok(())
    }

    /// How far somebody has read a room; `None` who never read there.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn unread(
        &self,
        room: &RoomName,
        reader: &Member,
    ) -> Result<Option<Unread>, Problem> {
        let (room, reader) = (room.clone(), reader.clone());
        self.log.read_aside(move |store| store.unread(&room, &reader)).await
    }
}
