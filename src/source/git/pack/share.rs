//! A value that one task owns until a second one needs it too.

use std::sync::Arc;

/// Owned by one task, or shared by several. Sharing is rare, so a value is put behind a counter only then.
pub(super) enum Lent<T> {
    /// One task has it.
    Own(T),
    /// Several do.
    Shared(Arc<T>),
}

impl<T> Lent<T> {
    /// The value.
    pub(super) fn get(&self) -> &T {
        match self {
            Self::Own(value) => value,
            Self::Shared(value) => value,
        }
    }

    /// The same value once more. Takes `self` apart and gives both.
    pub(super) fn share(self) -> (Self, Self) {
        let value = match self {
            Self::Own(value) => Arc::new(value),
            Self::Shared(value) => value,
        };
        (Self::Shared(Arc::clone(&value)), Self::Shared(value))
    }

    /// The value itself, if nobody else has it.
    pub(super) fn into_inner(self) -> Option<T> {
        match self {
            Self::Own(value) => Some(value),
            Self::Shared(value) => Arc::into_inner(value),
        }
    }
}
