//! Images `FROM scratch` around one static file: greenlight itself, as its own `sample-app`.

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

/// The port that the sample app listens on in its container, unless `PORT` says another.
pub const PORT: u16 = 8080;

/// What an image holds and says.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// Named in every answer (`X-Version`), and a label of the image, so that each version is an image of its own.
    pub version: String,
    /// More options of `sample-app`.
    pub options: Vec<String>,
    /// Dockerfile instructions after ours, such as `EXPOSE 9000`.
    pub changes: Vec<String>,
    /// Listens on 127.0.0.1: for the network of the host.
    pub on_loopback: bool,
    /// So many MiB that no compression makes smaller, in a file of its own.
    pub ballast_mib: usize,
}

impl Recipe {
    pub fn new(version: &str) -> Self {
        Self { version: version.to_owned(), ..Self::default() }
    }

    /// With more options of `sample-app`.
    #[must_use]
    pub fn with(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(ToString::to_string));
        self
    }
}

/// The program as one static file; built at the first call of a run.
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

/// A tar of `/greenlight`, `/tmp`, and the ballast. The same bytes each time, so the same layer.
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

/// Makes an image of this name (`repository:tag`) in an engine.
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

/// `docker import`: a tar and Dockerfile instructions become an image.
pub async fn import(engine: &Docker, name: &str, tar: Bytes, changes: Vec<String>) {
    let (repository, tag) = name.rsplit_once(':').expect("repository:tag");
    let options =
        CreateImageOptionsBuilder::new().from_src("-").repo(repository).tag(tag).changes(changes).build();
    let steps = to_the_end(engine.create_image(Some(options), Some(body_full(tar)), None))
        .await
        .unwrap_or_else(|error| panic!("import {name}: {error}"));
    assert!(!steps.is_empty());
}

/// Pushes an image, and gives its digest in the registry (`sha256:...`).
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

/// What an engine tells of a long task, line by line, up to its end.
///
/// bollard 0.21 takes it for an error if the last line's CR LF comes in a read of its own (its issue 560,
/// "once in ten thousand pulls"): all lines are there then.
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
