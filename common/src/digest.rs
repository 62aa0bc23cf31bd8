//! The rolling digest of a log: what shows that nothing of it is missing, doubled or changed.
//!
//! Both ends compute it, with this code. Whoever holds the entries after some place and the digest
//! of that place can compute the digest of the last entry, and it equals the server's only if both
//! hold the same entries in the same order.
//!
//! A digest is the first 128 bits of SHA-256 (FIPS 180-4). The digest of an entry covers the one
//! before it; `docs/protocol.md` says over which bytes and has examples to check against.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::{EntryKind, Epoch, MessageId, UserId};

/// Bytes of a digest.
pub const DIGEST_BYTES: usize = 16;

/// The first 128 bits of a SHA-256; on the wire 32 hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; DIGEST_BYTES]);

/// Of an entry, what its digest covers.
#[derive(Clone, Copy, Debug)]
pub struct Covered<'a> {
    /// Its place.
    pub seq: u64,
    /// Who said it.
    pub author: &'a UserId,
    /// The name its author gave it.
    pub message_id: &'a MessageId,
    /// What it is.
    pub kind: EntryKind,
    /// The entry that it changes.
    pub of: Option<u64>,
    /// Whom it is about.
    pub member: Option<&'a UserId>,
    /// The digest of its body: [`Digest::of_body`]. It outlives the body.
    pub body: Digest,
}

impl Digest {
    /// Where the log of this epoch begins, before its first entry.
    #[must_use]
    pub fn start(epoch: &Epoch) -> Self {
        Self::finish(Sha256::new_with_prefix(epoch.as_str()))
    }

    /// Of what an entry says.
    #[must_use]
    pub fn of_body(body: &str) -> Self {
        Self::finish(Sha256::new_with_prefix(body))
    }

    /// Of the name that this author gave a message: no other message has it.
    #[must_use]
    pub fn of_name(author: &UserId, message_id: &MessageId) -> Self {
        // An id has at most 64 characters, all of them ASCII.
        let mut sha = Sha256::new_with_prefix([author.as_str().len() as u8]);
        sha.update(author.as_str());
        sha.update(message_id.as_str());
        Self::finish(sha)
    }

    /// The digest of the entry that follows the one with this digest.
    #[must_use]
    pub fn then(self, covered: &Covered<'_>) -> Self {
        let Covered { seq, author, message_id, kind, of, member, body } = *covered;
        let mut sha = Sha256::new_with_prefix(self.0);
        sha.update(seq.to_be_bytes());
        sha.update(of.unwrap_or(0).to_be_bytes());
        sha.update(body.0);
        let member = member.map_or("", UserId::as_str);
        for text in [kind.name(), author.as_str(), message_id.as_str(), member] {
            // Names and ids have at most 64 characters, all of them ASCII.
            sha.update([text.len() as u8]);
            sha.update(text);
        }
        Self::finish(sha)
    }

    /// From the bytes that [`Self::bytes`] gave.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; DIGEST_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes, to be kept.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; DIGEST_BYTES] {
        &self.0
    }

    /// Reads 32 hexadecimal digits in lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |c: u8| match c {
            b'0'..=b'9' => Some(c - b'0'),
            b'a'..=b'f' => Some(c - b'a' + 10),
            _ => None,
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != DIGEST_BYTES || !rest.is_empty() {
            return None;
        }
        let mut bytes = [0; DIGEST_BYTES];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }

    fn finish(sha: Sha256) -> Self {
        let whole = sha.finalize();
        let mut bytes = [0; DIGEST_BYTES];
        bytes.copy_from_slice(&whole[..DIGEST_BYTES]);
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a digest"))
    }
}
