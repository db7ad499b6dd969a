//! Images `FROM scratch` around one static file. The file is greenlight, which runs as `sample-app`.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{Command, Stdio};

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::body_full;
use bollard::errors::Error;
use bollard::query_parameters::{CreateImageOptionsBuilder, PushImageOptionsBuilder};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use tokio::sync::OnceCell;

use super::script;

/// The port on which the sample app listens in its container, unless the variable `PORT` names another.
pub const PORT: u16 = 8080;

/// The content of an image.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// The version. The app names it in every answer (`X-Version`). It is also a label of the image, so that
    /// each version is an image of its own.
    pub version: String,
    /// More options of `sample-app`.
    pub options: Vec<String>,
    /// Further Dockerfile instructions, such as `EXPOSE 9000`.
    pub changes: Vec<String>,
    /// The app listens on 127.0.0.1, for containers on the network of the host.
    pub on_loopback: bool,
    /// The size of an additional file in MiB. The file is random, so compression does not make it smaller.
    pub ballast_mib: usize,
}

impl Recipe {
    /// A recipe for this version, with no further options.
    pub fn new(version: &str) -> Self {
        Self { version: version.to_owned(), ..Self::default() }
    }

    /// The same recipe with more options of `sample-app`.
    #[must_use]
    pub fn with(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(ToString::to_string));
        self
    }
}

/// The path of the program as one static file. The first call of a run builds it.
pub async fn static_program() -> &'static Path {
    static BUILT: OnceCell<PathBuf> = OnceCell::const_new();
    BUILT
        .get_or_init(|| async {
            let made = tokio::task::spawn_blocking(|| {
                Command::new(script("static")).stderr(Stdio::inherit()).output().unwrap()
            });
            let made = made.await.unwrap();
            assert!(made.status.success(), "tests/docker/static: {}", made.status);
            PathBuf::from(String::from_utf8(made.stdout).unwrap().trim())
        })
        .await
}

/// A tar of `/greenlight`, `/tmp` and the ballast. Its bytes are the same each time, and so is the layer.
pub async fn file_system(ballast_mib: usize) -> Bytes {
    static PLAIN: OnceCell<Bytes> = OnceCell::const_new();
    let program = static_program().await;
    let make = move || {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tmp")).unwrap();
        std::fs::copy(program, folder.path().join("greenlight")).unwrap();
        if ballast_mib > 0 {
            let mut noise = vec![0_u8; ballast_mib << 20];
            fastrand::Rng::with_seed(ballast_mib as u64).fill(&mut noise);
            std::fs::write(folder.path().join("ballast"), noise).unwrap();
        }
        let tar = Command::new("tar")
            .args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "-c", "-C"])
            .arg(folder.path())
            .arg(".")
            .output()
            .unwrap();
        assert!(tar.status.success(), "{tar:?}");
        Bytes::from(tar.stdout)
    };
    if ballast_mib > 0 {
        return tokio::task::spawn_blocking(make).await.unwrap();
    }
    PLAIN.get_or_init(|| async { tokio::task::spawn_blocking(make).await.unwrap() }).await.clone()
}

/// Makes an image with this name (`repository:tag`) in an engine.
pub async fn make(engine: &Docker, name: &str, recipe: &Recipe) {
    let mut command: Vec<String> = [
        "/greenlight",
        "sample-app",
        "--no-stdin-exit",
        "--listen",
        &format!("{}:{PORT}", if recipe.on_loopback { "127.0.0.1" } else { "0.0.0.0" }),
        "--name",
        &recipe.version,
        "--version-label",
        &recipe.version,
    ]
    .map(str::to_owned)
    .into();
    command.extend(recipe.options.clone());
    let mut changes = vec![
        format!("CMD {}", serde_json::to_string(&command).unwrap()),
        format!("LABEL version={}", recipe.version),
        format!("EXPOSE {PORT}"),
        "ENV PATH=/".to_owned(),
    ];
    changes.extend(recipe.changes.clone());
    import(engine, name, file_system(recipe.ballast_mib).await, changes).await;
}

/// Makes an image from a tar and Dockerfile instructions, as `docker import` does.
pub async fn import(engine: &Docker, name: &str, tar: Bytes, changes: Vec<String>) {
    let (repository, tag) = name.rsplit_once(':').expect("repository:tag");
    let options =
        CreateImageOptionsBuilder::new().from_src("-").repo(repository).tag(tag).changes(changes).build();
    let steps = to_the_end(engine.create_image(Some(options), Some(body_full(tar)), None))
        .await
        .unwrap_or_else(|error| panic!("import {name}: {error}"));
    assert!(!steps.is_empty());
}

/// Pushes an image, and returns its digest in the registry (`sha256:...`).
pub async fn push(engine: &Docker, name: &str, credentials: Option<DockerCredentials>) -> String {
    let (repository, tag) = name.rsplit_once(':').expect("repository:tag");
    let options = PushImageOptionsBuilder::new().tag(tag).build();
    to_the_end(engine.push_image(repository, Some(options), credentials))
        .await
        .unwrap_or_else(|error| panic!("push {name}: {error}"));
    let image = engine.inspect_image(name).await.unwrap();
    let prefix = format!("{repository}@");
    image
        .repo_digests
        .unwrap_or_default()
        .iter()
        .find_map(|digest| digest.strip_prefix(&prefix).map(str::to_owned))
        .unwrap_or_else(|| panic!("{name} was pushed and has no digest"))
}

/// Reads the lines in which an engine reports on a long task, up to its end. The errors are those of the
/// engine and of the connection.
///
/// bollard 0.21 returns an error if the CR LF of the last line comes in a read of its own (bollard's issue
/// 560, "once in ten thousand pulls"). All lines have been read then, so that error counts as the end.
pub async fn to_the_end<T>(lines: impl Stream<Item = Result<T, Error>>) -> Result<Vec<T>, Error> {
    let mut lines = pin!(lines);
    let mut all = Vec::new();
    loop {
        match lines.try_next().await {
            Ok(Some(line)) => all.push(line),
            Ok(None) => return Ok(all),
            Err(Error::IOError { err }) if err.to_string() == "bytes remaining on stream" => return Ok(all),
            Err(error) => return Err(error),
        }
    }
}
