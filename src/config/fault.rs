//! The faults of a configuration. Each says where it is, what is wrong and what would be right.

use std::fmt;

/// A fault refuses the file; a warning does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Fault,
    Warning,
}

/// One thing that is wrong in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub severity: Severity,
    /// A key path such as `services.backend.health.interval`. It is empty if the fault concerns the whole
    /// file.
    pub key: String,
    /// The line in the file, counted from 1, if it is known.
    pub line: Option<usize>,
    /// The value as it stands in the file. Secrets are never shown.
    pub value: Option<String>,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// All faults of a file. There is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    /// Writes one line for each fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

impl Fault {
    /// A warning that has its key in its text.
    #[must_use]
    pub fn warning(text: &str) -> Self {
        Self {
            severity: Severity::Warning,
            key: String::new(),
            line: None,
            value: None,
            message: text.to_owned(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            return match self.line {
                Some(line) => write!(f, "line {line}: {}", self.message),
                None => f.write_str(&self.message),
            };
        }
        write!(f, "{}", self.key)?;
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        write!(f, ": {}", self.message)
    }
}
