//! What goes wrong at the command line: a sentence with the next step, and an exit code.

use crate::control_plane::admin::Problem;

use super::exit::Exit;
use super::output::{Format, complain, say_json};

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0}")]
    Usage(String),
    #[error(
        "{admin} can't be reached ({why}): is `greenlight run` running there? Another address is given with --admin or GREENLIGHT_ADMIN"
    )]
    Unreachable { admin: String, why: String },
    #[error("{}", problem_text(.0))]
    Problem(Box<Problem>),
    #[error("{admin} answered something that is not greenlight's ({why}): check --admin")]
    Strange { admin: String, why: String },
    #[error("{0}")]
    Internal(String),
}

impl Fault {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Problem(problem) => match problem.status {
                409 | 412 => Exit::Refused,
                // A name, a value or a token that is not right: the same every time.
                400..=499 => Exit::Usage,
                _ => Exit::Broken,
            },
            Self::Unreachable { .. } | Self::Strange { .. } | Self::Internal(_) => Exit::Broken,
        }
    }

    /// Whether asking again later may help.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Problem(problem) => problem.status >= 500,
            Self::Usage(_) | Self::Strange { .. } | Self::Internal(_) => false,
        }
    }

    /// Prints it; returns the exit code. In JSON the API's problem document goes to standard output as well: its
    /// `code` tells a script why a command was refused.
    pub(super) fn report(&self, format: Format) -> Exit {
        complain(&format!("greenlight: {self}"));
        if let (Format::Json, Self::Problem(problem)) = (format, self) {
            say_json(problem);
        }
        self.exit()
    }
}

fn problem_text(problem: &Problem) -> String {
    let mut text = match problem.status {
        401 => format!("{}: give its file with --token-file or GREENLIGHT_TOKEN_FILE", problem.detail),
        404 => format!("{} (`greenlight status` lists what there is)", problem.detail),
        409 | 412 => format!("refused: {}", problem.detail),
        _ => problem.detail.clone(),
    };
    for fault in &problem.faults {
        text.push_str("\n  ");
        text.push_str(fault);
    }
    text
}
