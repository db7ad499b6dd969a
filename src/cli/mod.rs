//! L4: the command line (DESIGN.md section 6). One file a verb.

/// Runs the command line; the exit code is DESIGN.md section 6's.
#[must_use]
pub fn main() -> std::process::ExitCode {
    todo!("cli helper")
}
