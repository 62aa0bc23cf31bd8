//! Rooms that are opened, and who belongs to them.

use common::{Member, http::Keep};
use rooms::{MembershipChange, NewRoom, OpenRefusal, RoomRecord};
use rusqlite::params;

use super::{
    super::{
        Known,
        rows::{ReadError, room_of, seq_of},
    },
    Batch,
};

impl Batch<'_> {
    pub(super) fn open(
        &mut self,
        new: &NewRoom,
    ) -> Result<Result<RoomRecord, OpenRefusal>, ReadError> {
        if self.room(&new.room).is_some() {
            return Ok(Err(OpenRefusal::Exists));
        }
        let record = RoomRecord::new(new.clone());
        let keep = match record.keep {
            Keep::Forever => None,
            Keep::Last(most) => Some(most),
            Keep::None => Some(0),
        };
        const SQL: &str = "INSERT INTO rooms
            (name, epoch, keep, floor, floor_digest, private) VALUES (?, ?, ?, 0, ?, ?)";
        let id = self.connection.prepare_cached(SQL)?.insert(params![
            record.room.as_str(),
            record.head.epoch.as_str(),
            keep,
            record.floor_digest.bytes(),
            record.members.is_some()
        ])?;
        for member in record.members.as_deref().unwrap_or_default() {
            self.admit(id, member, 0)?;
        }
        let known = Known { id, record: record.clone(), pruned: 0 };
        self.touched.insert(record.room.clone(), known);
        Ok(Ok(record))
    }

    pub(super) fn change_membership(
        &mut self,
        entry: i64,
        change: MembershipChange,
        member: &Member,
    ) -> rusqlite::Result<()> {
        const REMOVE: &str = "DELETE FROM members WHERE room = ?
            AND name IN (SELECT id FROM names WHERE person = ?)";
        let person = self.people.person(self.connection, &member.id)?;
        let (room, seq) = (room_of(entry), seq_of(entry));
        self.connection.prepare_cached(REMOVE)?.execute([room, person])?;
        match change {
            MembershipChange::Joined => self.admit(room, member, seq),
            MembershipChange::Left | MembershipChange::Kicked => Ok(()),
        }
    }

    /// Somebody belongs to the room from entry `seq` on. What is said from there on is unread for
    /// them, also while they have not looked yet; whoever was here before goes on where they were.
    fn admit(&mut self, room: i64, member: &Member, seq: u64) -> rusqlite::Result<()> {
        const SQL: &str = "INSERT INTO members SELECT ?1,
            (SELECT coalesce(max(nth), 0) + 1 FROM members WHERE room = ?1), ?2";
        const MARK: &str = "INSERT INTO marks VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
        let name = self.people.name(self.connection, member)?;
        self.connection.prepare_cached(SQL)?.execute([room, name])?;
        let person = self.people.person(self.connection, &member.id)?;
        self.connection.prepare_cached(MARK)?.execute([person, room, seq.cast_signed()])?;
        Ok(())
    }
}
