//! The faults of the command line. Each is a sentence that names the next step, and has an exit code.

use crate::control_plane::admin::Problem;
use crate::control_plane::controller::RefusalCode;

use super::exit::Exit;
use super::output::{Format, complain, say_json};

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The arguments, or a file that they name, can't be used.
    #[error("{0}")]
    Usage(String),
    /// The admin API can't be reached.
    #[error(
        "{admin} can't be reached ({why}): is `greenlight run` running there? Another address is given with --admin or GREENLIGHT_ADMIN"
    )]
    Unreachable { admin: String, why: String },
    /// The admin API answered with a problem document (RFC 9457).
    #[error("{}", problem_text(.0))]
    Problem(Box<Problem>),
    /// The server at that address gave an answer that greenlight never gives.
    #[error("{admin} answered something that is not greenlight's ({why}): check --admin")]
    Strange { admin: String, why: String },
    /// A fault of the program itself.
    #[error("{0}")]
    Internal(String),
}

impl Fault {
    /// The exit code of this fault (docs/cli.md, "Exit codes").
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Problem(problem) => match problem.status {
                409 | 412 => Exit::Refused,
                // A name, a value or a token is wrong. The same command would fail again in the same way.
                400..=499 => Exit::Usage,
                _ => Exit::Broken,
            },
            Self::Unreachable { .. } | Self::Strange { .. } | Self::Internal(_) => Exit::Broken,
        }
    }

    /// Whether the same request may succeed later.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Problem(problem) => problem.status >= 500,
            Self::Usage(_) | Self::Strange { .. } | Self::Internal(_) => false,
        }
    }

    /// Prints the fault to standard error and returns its exit code. In the JSON format it also prints the
    /// API's problem document to standard output, because the `code` in it tells a script why the API
    /// refused.
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
        404 if problem.code == Some(RefusalCode::UnknownRelease) => {
            format!("{} (`greenlight history SERVICE` lists the releases of a service)", problem.detail)
        }
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
