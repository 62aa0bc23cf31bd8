//! Reading beside a connection: pages, searches, lists.

use anyhow::Context as _;
use serde_json::Value;

use super::{
    super::{
        model::{Due, Person},
        world::World,
    },
    Asked,
};

impl World {
    pub(super) async fn reads_page(&mut self, person: Person) -> anyhow::Result<()> {
        let room = self.some_room();
        let due = self.reads(&room, person);
        let path = format!("/api/rooms/{}/entries?limit=20", self.name_of(&room));
        let answer = self.asks(person, "GET", &path, "").await?;
        if self.judges_answer(due, &answer)
            && let Asked::Here(here) = room
        {
            let page: Value = serde_json::from_str(answer.body())?;
            let head = self.rooms[here].head();
            if page["position"]["seq"].as_u64() != Some(head) {
                self.finds(&format!("the head is {} in place of {head}", page["position"]));
            }
            for entry in page["entries"].as_array().into_iter().flatten() {
                let place = entry["seq"].as_u64().and_then(|seq| usize::try_from(seq - 1).ok());
                let known = place.and_then(|place| self.rooms[here].entries.get(place));
                if known.is_none_or(|known| known.deleted && entry["body"] != "") {
                    self.finds(&format!("this is not as it was said or deleted: {entry}"));
                }
            }
        }
        Ok(())
    }

    pub(super) async fn searches_for(&mut self, person: Person) -> anyhow::Result<()> {
        let room = self.some_room();
        let words = match &room {
            Asked::Here(here) => self.rooms[*here].secret.clone(),
            Asked::Elsewhere(name) => name.clone(),
        };
        let (due, path) = if self.random.chance(50) {
            (Due::Done, format!("/api/search?q={words}"))
        } else {
            let name = self.name_of(&room);
            (self.reads(&room, person), format!("/api/search?q=said&room={name}"))
        };
        let answer = self.asks(person, "GET", &path, "").await?;
        self.judges_answer(due, &answer);
        Ok(())
    }

    pub(super) async fn lists(&mut self, person: Person) -> anyhow::Result<()> {
        let answer = self.asks(person, "GET", "/api/rooms", "").await?;
        if !self.judges_answer(Due::Done, &answer) {
            return Ok(());
        }
        let list: Value = serde_json::from_str(answer.body())?;
        let listed = list["rooms"].as_array().context("it is a list")?;
        let mut wrong = Vec::new();
        for room in &self.rooms {
            let found = listed.iter().find(|info| info["room"] == room.name.as_str());
            let head = found.and_then(|info| info["position"]["seq"].as_u64());
            let members = found.and_then(|info| info["members"].as_array()).map(|members| {
                members.iter().filter_map(|member| member["id"].as_str()).collect::<Vec<_>>()
            });
            let due = room.may(person).then_some(room.head());
            let of_room = room.members.iter().map(|member| self.people[*member].id.as_str());
            let is_due = !room.may(person) || !room.private || members == Some(of_room.collect());
            if head != due || !is_due {
                wrong.push(format!("{} is listed as {found:?}, and is due {due:?}", room.name));
            }
        }
        for wrong in wrong {
            self.finds(&wrong);
        }
        Ok(())
    }
}
