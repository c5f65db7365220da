//! `artdag serve`: holds a home and answers for it over HTTP, and on the home's socket as a
//! worker does, until it is told to end.

use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use crate::base::limits::{BLOCKING_THREADS, HTTP_THREADS, LOCK_WAIT_SECONDS, TAKE_OVER_SECONDS};
use crate::cli::commands::Commands;
use crate::cli::ctx::Io;
use crate::cli::error::{CliError, Exit};
use crate::cli::flags::ServeFlags;
use crate::cli::{forward, opening};
use crate::config::{L2Settings, Settings, TaskForm};
use crate::engine::lock::{Holder, Role};
use crate::engine::{Engine, EngineError, Opened};
use crate::http::auth::{Auth, AuthSettings, JwtKeys, JwtSettings};
use crate::http::server::{Listening, Patience};
use crate::http::stop::Stop;
use crate::http::{App, api, guard, server, systemd, ui};
use crate::link::redis;
use crate::media::ffmpeg::confine;

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Settings of the server.
    #[command(flatten)]
    pub flags: ServeFlags,
}

/// Serves until a signal ends it.
pub fn run(settings: &Settings, io: &mut Io) -> Result<Exit, CliError> {
    let engine = take_home(settings, io)?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(HTTP_THREADS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("http")
        .enable_all()
        .build()
        .map_err(|error| CliError::machine(format!("no threads can be started: {error}")))?;
    let served = runtime.block_on(serve(settings, &engine, io));
    // Handlers that have not ended by now are cut off; what they asked for is on disk or not.
    runtime.shutdown_background();
    engine.close()?;
    served.map(|()| Exit::Done)
}

async fn serve(settings: &Settings, engine: &Engine, io: &mut Io) -> Result<(), CliError> {
    let listening = Listening::bind(&settings.server).map_err(|error| match error {
        server::ListenError::Tls(error) => CliError::usage(error.to_string()),
        server::ListenError::Address { .. } => CliError::machine(error.to_string()),
    })?;
    let url = listening.url();
    let auth = Auth::new(engine.clone(), auth_settings(settings, &listening)?);
    let app = App::new(engine.clone(), settings.clone(), auth);
    app.listens_at(url.clone());
    let (router, _) = api::router(app.clone());
    let router = guard::guarded(ui::with_pages(router, &app), &app);
    watch_signals(&app.stop)?;
    let commands = Commands::answer(&app.publisher)?;
    engine.name_holder(&Holder {
        pid: std::process::id(),
        role: Role::Serve,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        address: Some(url.clone()),
    })?;
    engine.work_on_queue()?;
    app.publisher.start().map_err(|error| CliError::machine(format!("no thread can be started: {error}")))?;
    let redis = speak_with_redis(&app)?;
    io.say(format_args!("artdag {} listening on {url}", env!("CARGO_PKG_VERSION")));
    if !listening.is_loopback() && settings.server.tls.is_none() {
        io.say("warning: others can reach this address and there is no TLS: tokens can be read on the way");
    }
    systemd::ready(&url);
    tell_protections(&app.engine);
    let drain = drain(&app, settings.server.drain);
    tokio::join!(server::serve(&app, router, listening, Patience::default()), drain);
    app.publisher.stop();
    drop((commands, redis));
    Ok(())
}

/// Begins what the settings want of Redis.
fn speak_with_redis(app: &App) -> Result<redis::Threads, CliError> {
    let mut threads = redis::Threads::default();
    let settings = &app.settings.server.redis;
    let unusable = |name: &str, error: &redis::BadAddress| CliError::usage(format!("{name}: {error}"));
    if let Some(url) = &settings.mirror {
        let begun = threads.mirror(&app.engine, url.expose(), &app.redis);
        begun.map_err(|error| unusable("redis-mirror", &error))?;
    }
    if let Some(intake) = &settings.intake {
        let task = |form: &TaskForm| redis::Task { name: form.name.clone(), arguments: form.arguments.clone() };
        let intake = redis::Intake {
            broker: intake.broker.expose().to_owned(),
            results: intake.results.expose().to_owned(),
            queue: intake.queue.clone(),
            tasks: intake.tasks.iter().map(task).collect(),
        };
        let begun = threads.intake(&app.engine, intake, &app.redis);
        begun.map_err(|error| unusable("redis-intake or redis-results", &error))?;
    }
    Ok(threads)
}

/// Says in the log what confines ffmpeg on this system, as soon as that is known.
fn tell_protections(engine: &Engine) {
    if !engine.has_ffmpeg() {
        return tracing::info!("there is no ffmpeg: films and sounds are refused");
    }
    let tell = || match std::env::current_exe() {
        Ok(launcher) => tracing::info!(protections = confine::protections(&launcher), "ffmpeg is confined"),
        Err(error) => tracing::warn!(%error, "what confines ffmpeg is not known"),
    };
    let spawned = std::thread::Builder::new().name("protections".to_owned()).spawn(tell);
    spawned.inspect_err(|error| tracing::warn!(%error, "what confines ffmpeg is not told")).ok();
}

/// When the server is told to end, lets the stages that run go on for a while.
async fn drain(app: &App, time: Duration) {
    app.stop.wait().await;
    tracing::info!(seconds = time.as_secs(), "ending: what is under way may go on for a while");
    systemd::stopping();
    let drained = app.blocking(move |engine| Ok(engine.drain(time))).await;
    match drained {
        Ok(true) => tracing::info!("all runs under way have ended"),
        Ok(false) => tracing::info!("runs that have not ended wait for the next start"),
        Err(error) => tracing::error!(?error, "runs could not be waited for; they wait for the next start"),
    }
}

fn auth_settings(settings: &Settings, listening: &Listening) -> Result<AuthSettings, CliError> {
    let server = &settings.server;
    let keys = |l2: &L2Settings| {
        JwtKeys::load(&l2.key).map_err(|error| CliError::usage(format!("l2-key {}: {error}", l2.key.display())))
    };
    let jwt = server.l2.as_ref().map(|l2| {
        let (issuer, audience, admins) = (l2.issuer.clone(), l2.audience.clone(), l2.admins.clone());
        Ok::<_, CliError>(JwtSettings { keys: keys(l2)?, issuer, audience, admins })
    });
    Ok(AuthSettings {
        loopback: listening.is_loopback(),
        public_read: server.public_read,
        jwt: jwt.transpose()?,
        secure_cookie: server.tls.is_some(),
    })
}

/// The first signal begins the end, the second is the end.
fn watch_signals(stop: &Stop) -> Result<(), CliError> {
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
    let signals = kinds.into_iter().map(signal).collect::<Result<Vec<_>, _>>();
    let signals = signals.map_err(|error| CliError::machine(format!("signals cannot be caught: {error}")))?;
    for mut signal in signals {
        let stop = stop.clone();
        tokio::spawn(async move {
            while signal.recv().await.is_some() {
                if stop.begun() {
                    std::process::exit(Exit::Interrupted as i32);
                }
                stop.begin();
            }
        });
    }
    Ok(())
}

/// Opens the home. A command that holds it is waited for, a worker is asked to leave, a server
/// stays.
fn take_home(settings: &Settings, io: &mut Io) -> Result<Engine, CliError> {
    let opening = opening(settings, Role::Serve);
    let start = Instant::now();
    let mut before: Option<Holder> = None;
    loop {
        let holder = match Engine::open(&opening)? {
            Opened::Ours(engine) => return Ok(engine),
            Opened::Theirs(holder) => holder,
        };
        let role = holder.as_ref().map_or(Role::Command, |holder| holder.role);
        let patience = match role {
            // The name in the file may be an earlier holder's for a moment.
            Role::Serve if before == holder => Duration::ZERO,
            Role::Serve | Role::Command => Duration::from_secs(LOCK_WAIT_SECONDS),
            Role::Worker => Duration::from_secs(TAKE_OVER_SECONDS),
        };
        if start.elapsed() >= patience {
            let home = settings.home.display().to_string();
            return Err(EngineError::Held { home, holder }.into());
        }
        if let Some(worker) = holder.as_ref().filter(|_| role == Role::Worker && before != holder) {
            io.say(format_args!("{worker} holds the home; it is asked to leave"));
            forward::ask_to_leave(&settings.home);
        }
        before = holder;
        std::thread::sleep(Duration::from_millis(20));
    }
}
