//! Colours of the text report, or none.

use anstyle::{AnsiColor, Style};

use crate::rule::Severity;

/// Paints words; without colour they stay as they are.
pub(super) struct Paint {
    colour: bool,
}

impl Paint {
    /// With or without colour.
    pub(super) fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// `text` in `style`.
    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// What the eye looks for.
    pub(super) fn strong(&self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// What it may pass over.
    pub(super) fn quiet(&self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// What needs attention.
    pub(super) fn warning(&self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default().bold(), text)
    }

    /// All is well.
    pub(super) fn good(&self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// A severity's word, in its colour.
    pub(super) fn severity(&self, severity: Severity, text: &str) -> String {
        let style = match severity {
            Severity::Critical => AnsiColor::BrightRed.on_default().bold(),
            Severity::High => AnsiColor::Red.on_default().bold(),
            Severity::Medium => AnsiColor::Yellow.on_default(),
            Severity::Low => AnsiColor::Cyan.on_default(),
        };
        self.paint(style, text)
    }
}
