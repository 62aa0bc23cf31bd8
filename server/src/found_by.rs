//! Values that lie in a table under a key which they hold themselves: a place takes one pointer
//! and not the key besides. There are as many as there are people.

/// A pointer that is found by a key of what it points to.
macro_rules! found_by {
    ($(#[$doc:meta])* $vis:vis $name:ident($pointer:ty), $key:ty, $key_of:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        $vis struct $name($vis $pointer);

        impl std::borrow::Borrow<$key> for $name {
            fn borrow(&self) -> &$key {
                let key_of: fn(&$pointer) -> &$key = $key_of;
                key_of(&self.0)
            }
        }

        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                let key: &$key = std::borrow::Borrow::borrow(self);
                key.hash(state);
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                let keys: [&$key; 2] = [self, other].map(std::borrow::Borrow::borrow);
                keys[0] == keys[1]
            }
        }

        impl Eq for $name {}
    };
}

pub(crate) use found_by;
