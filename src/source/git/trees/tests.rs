//! Records against plain parsing.
