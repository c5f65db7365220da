//! Every limit of the product, each with its reason. A refusal names the limit it met.

/// Bytes of a config: 100,000 nodes written at length take about 10 MB.
pub const CONFIG_BYTES: usize = 16 << 20;
/// Nodes of a config: more is a program's work, and belongs into several configs.
pub const CONFIG_NODES: usize = 100_000;
/// Nesting of a config after aliases are expanded; the deepest real one has nine.
pub const CONFIG_DEPTH: usize = 64;
/// Values of a config after aliases are expanded: twenty for each of the most nodes there may be.
pub const CONFIG_VALUES: usize = 2_000_000;
/// Bytes of a config's texts after aliases are expanded, so that one long text used often
/// cannot fill the memory.
pub const CONFIG_EXPANDED_BYTES: usize = 64 << 20;
/// Problems reported for one config; a person mends these first.
pub const CONFIG_PROBLEMS: usize = 100;
/// Bytes of a node's id, which becomes part of messages, events and addresses.
pub const NODE_ID_BYTES: usize = 200;
/// Bytes of an asset's name: what one path component may hold on common file systems.
pub const ASSET_NAME_BYTES: usize = 255;

/// Pixels of one picture, decoded or computed: 16,384 × 16,384, which is 1 GiB as RGBA.
pub const IMAGE_PIXELS: u64 = 1 << 28;
/// Width or height of a picture; what PNG, TIFF and JPEG tools agree on.
pub const IMAGE_SIDE: u32 = 65_535;
/// Bytes that an image decoder may take beside the picture itself.
pub const DECODER_BYTES: u64 = 2 << 30;
/// Bytes of an embedded ICC profile; real ones stay under 4 MiB.
pub const ICC_BYTES: usize = 16 << 20;
/// Bytes of the head of a file that sniffing reads.
pub const SNIFF_BYTES: usize = 4096;

/// Blobs up to this size live in the database, where they ride the group commit.
pub const SMALL_BLOB_BYTES: usize = 16 << 10;
/// Bytes of one record as stored; the largest real one, a run with 10,000 inputs, has 1 MB.
pub const RECORD_BYTES: usize = 64 << 20;
/// Writes that one commit takes together: past this a commit's latency grows with its size.
pub const COMMIT_WRITES: usize = 4096;

/// Bytes that uploads leave free on the disk, so that runs can still be recorded.
pub const FREE_BYTES_KEPT: u64 = 8 << 20;
/// Bytes of an upload after which the free space is looked at again.
pub const FREE_BYTES_LOOK: u64 = 4 << 20;
/// Rows that one page of a list looks at: a page of what is rare ends early and says where to go on.
pub const PAGE_ROWS: usize = 20_000;
/// Runs that may wait in the queue: a week of one a second, about a gigabyte on disk.
pub const QUEUED_RUNS: u64 = 600_000;
/// Runs under way at once; further ones wait in the queue on disk, where they cost no memory.
pub const ACTIVE_RUNS: usize = 256;
/// Nodes of the plans of all runs under way, each a few hundred bytes.
pub const ACTIVE_NODES: usize = 200_000;
/// Runs under way at once when those beyond [`ACTIVE_RUNS`] have higher priorities.
pub const ACTIVE_RUNS_MOST: usize = 4 * ACTIVE_RUNS;
/// Events kept for clients that come back: a few seconds of a busy server.
pub const EVENTS_KEPT: usize = 16_384;
/// Stages whose start is marked, so that a crash tells them; more run at once nowhere.
pub const MARKED_STAGES: usize = 1024;
/// Times that a stage is tried when it takes too long.
pub const STAGE_ATTEMPTS: u32 = 2;
/// Starts that may pass by a stage that needs more memory than is free, until nothing may.
pub const PASSED_BY: u32 = 64;
/// Hours that an idempotency key is remembered.
pub const IDEMPOTENCY_HOURS: i64 = 24;

/// Changes noted for the mirror while it cannot be reached; when there are more it is made anew.
pub const CHANGES_KEPT: u64 = 200_000;
/// Changes that the mirror is told at once.
pub const CHANGES_AT_ONCE: usize = 256;
/// Seconds in which Redis must take a connection.
pub const REDIS_CONNECT_SECONDS: u64 = 3;
/// Seconds in which Redis must answer; while a saving disk holds it up it takes one or two.
pub const REDIS_ANSWER_SECONDS: u64 = 5;
/// Seconds between two attempts to reach Redis, at most.
pub const REDIS_RETRY_SECONDS: u64 = 5;
/// Seconds after which the mirror looks whether what it wrote is still there.
pub const MIRROR_LOOK_SECONDS: u64 = 2;
/// Seconds that Redis keeps a task's result, as Celery has it.
pub const TASK_RESULT_SECONDS: u64 = 86_400;
/// Bytes of the index of a home of the original; one of a million files has 400 MB.
pub const INDEX_BYTES: u64 = 1 << 30;
/// Runs that are moved in by one commit.
pub const MOVED_AT_ONCE: usize = 256;
/// Bytes of a task's message; one with 10,000 hashes has 700 KB.
pub const TASK_BYTES: usize = 4 << 20;
/// Times that a task whose files the disk does not give is tried at least before its caller is told.
pub const TASK_TRIES: u32 = 5;
/// Seconds that it is tried for: a disk or a server of files that stumbles is back by then, and
/// other tasks wait meanwhile.
pub const TASK_TRIED_SECONDS: u64 = 60;
/// Messages kept of those that could not be understood, the latest.
pub const DEAD_TASKS: isize = 1_000;

/// Blobs kept open for those who ask for them again.
pub const OPENED_KEPT: usize = 32;

/// Seconds that a command waits for another command that holds the home.
pub const LOCK_WAIT_SECONDS: u64 = 10;
/// Seconds after a first Ctrl-C in which a second one cancels the run: long enough to read what
/// the first one said.
pub const LEAVE_SECONDS: u64 = 2;
/// Seconds in which a server must take a connection; across the world it takes one.
pub const CONNECT_SECONDS: u64 = 10;
/// Bytes of a server's answer in JSON: the plan of the largest config has 50 MB.
pub const ANSWER_BYTES: u64 = 256 << 20;
/// Most items of a page: a thousand runs as JSON are 2 MB.
pub const PAGE_MAX: usize = 1000;
/// Seconds of silence on a stream of events after which the way to the server counts as lost;
/// a server says something every fifteen.
pub const EVENT_SILENCE_SECONDS: u64 = 45;
/// Seconds that a lost stream of events is opened again before it is given up: a server that is
/// started anew takes less.
pub const RECONNECT_SECONDS: u64 = 60;
/// Events that wait until a command shows them.
pub const EVENTS_UNSEEN: usize = 1024;
/// Bytes of one event: a run with 10,000 inputs has 1 MB.
pub const EVENT_BYTES: usize = 16 << 20;
/// Frames of a film or packets of a sound: four hours at 60 frames a second, ten times over.
pub const CLIP_FRAMES: u64 = 10_000_000;
/// Bytes of memory that a process of a stage of films may always have.
pub const FILM_MEMORY: u64 = 8 << 30;
/// Bytes of one file that such a process writes.
pub const FILM_FILE_BYTES: u64 = 1 << 42;
/// Bytes that ffprobe may say of a file's streams.
pub const PROBE_BYTES: u64 = 4 << 20;
/// Processes that a tool may have at once: ffmpeg is one, a script around it some more.
pub const TOOL_PROCESSES: u32 = 64;
/// Seconds that a tool may run at all: a week. `--stage-timeout` is shorter.
pub const TOOL_SECONDS: u64 = 604_800;
/// Seconds that a look at a file may take: one of 100 GB on a slow disk takes as long.
pub const PROBE_SECONDS: u64 = 900;
/// Bytes of memory that a look at a file may take.
pub const PROBE_MEMORY: u64 = 2 << 30;
/// Items of a list.
pub const LIST_ITEMS: usize = 10_000;
/// Nodes of one stage of films: each is a few filters of one graph, and each source that it reads
/// a file that ffmpeg holds open.
pub const FILM_STAGE_NODES: usize = 96;
/// Bytes of the commands that a run keeps for who looks at it: a stage has about 30 kB at most, and all are
/// written with the run's end.
pub const RUN_COMMAND_BYTES: usize = 8 << 20;
/// Estimated seconds of work above a checkpoint that make it worth its storage.
pub const CHECKPOINT_SECONDS: f64 = 10.0;
/// Times that a stage running alone may bring the process down before its run is given up.
pub const CRASHES: u32 = 3;

/// Items of a page of a list that asks for no number.
pub const PAGE_DEFAULT: usize = 100;
/// Problems told for one body or query; a client mends these first.
pub const BODY_PROBLEMS: usize = 100;
/// Bytes of an `Idempotency-Key`: a UUID has 36.
pub const IDEMPOTENCY_KEY_BYTES: usize = 255;
/// Event streams open at once: each is a connection that stays.
pub const EVENT_STREAMS: usize = 256;
/// Events taken from the log at a time for one stream, so that one that is far behind does not
/// fill the memory.
pub const EVENT_BATCH: usize = 256;
/// Seconds between two comments on a stream where nothing happens: proxies cut silent ones after
/// 30 or 60.
pub const EVENT_KEEP_ALIVE_SECONDS: u64 = 15;
/// Runs told at the beginning of a stream of all runs.
pub const EVENT_SNAPSHOT_RUNS: usize = 1000;
/// Checks of all blobs at once: one keeps a disk busy.
pub const VERIFICATIONS: usize = 1;
/// Bytes of the program read at a time when it is downloaded.
pub const DOWNLOAD_CHUNK_BYTES: usize = 256 << 10;

/// Bytes of a request's head. Browsers and proxies stay under 32 KiB; the same buffer carries
/// bodies, and uploads are faster through a large one.
pub const HEAD_BYTES: usize = 256 << 10;
/// Bytes of a JSON body: the longest real one, a run with 10,000 inputs, has 1 MB.
pub const JSON_BYTES: u64 = 4 << 20;
/// How many times its bytes a JSON body counts: read, it takes from three to thirty times as much.
pub const JSON_WEIGHT: usize = 4;
/// Bytes that every body held whole may have, however many there are: a run, a form, a token.
pub const BODY_FREE_BYTES: usize = 64 << 10;
/// Bytes that all such bodies together have beyond those: two configs of the largest size.
pub const BODIES_BYTES: usize = 32 << 20;
/// Recipes that are read, planned or shown at once: some for each processor.
pub const PLANS_AT_ONCE: usize = 4;
/// Seconds in which a request's head must be there, and that an idle connection is kept.
pub const HEAD_SECONDS: u64 = 20;
/// Seconds of waiting for a request's body after which [`BODY_PACE_BYTES`] must have come.
pub const BODY_PACE_SECONDS: u64 = 20;
/// Bytes that must come in [`BODY_PACE_SECONDS`]: a tenth of what a bad telephone line carries.
pub const BODY_PACE_BYTES: u64 = 16 << 10;
/// Bytes of a body that nobody read which are thrown away so that its connection can go on.
pub const UNREAD_BYTES: u64 = 64 << 10;
/// Milliseconds that such bytes are waited for.
pub const UNREAD_MILLISECONDS: u64 = 1000;
/// Seconds that a reader may leave a full send buffer as it is. Slow lines have small buffers,
/// so that who reads at all frees some in this time.
pub const WRITE_STALL_SECONDS: u64 = 60;
/// Seconds that a closed connection's late bytes are still taken, so that a client that is
/// sending sees the answer and not a reset.
pub const LINGER_SECONDS: u64 = 2;
/// Connections that wait to be accepted; the kernel's own limit is usually 4096.
pub const BACKLOG: u32 = 1024;
/// Connections that are told at once that there is no room for them, and heard to their end.
pub const REFUSED_AT_ONCE: usize = 64;
/// Open files that are kept from connections: blobs, the database, its temporary files.
pub const RESERVED_FILES: u64 = 256;
/// Threads that handlers wait on for disk and processor; sixteen writers fill a commit.
pub const BLOCKING_THREADS: usize = 128;
/// Threads that speak HTTP: what they do is small, and the processors are for rendering.
pub const HTTP_THREADS: usize = 4;
/// Bytes of a long download that are read into memory ahead of what goes out.
pub const PAGED_BYTES: usize = 4 << 20;
/// Ranges of one request; a player asks for one, a PDF viewer for a few.
pub const RANGES: usize = 64;
/// Bytes of the name that a download is saved under: what common file systems hold.
pub const FILE_NAME_BYTES: usize = 255;
/// Pieces of an upload that wait for the disk, each at most [`HEAD_BYTES`].
pub const UPLOAD_PIECES: usize = 16;
/// Fields of a multipart body that are looked through for the file.
pub const UPLOAD_FIELDS: usize = 32;
/// Commands at once that whoever holds the home carries out for others, a thread each.
pub const SOCKET_CLIENTS: usize = 256;
/// Seconds that a starting server waits for a worker to leave the home.
pub const TAKE_OVER_SECONDS: u64 = 30;

/// Access tokens of a home: each is somebody's or some program's, and a list of them is read.
pub const TOKENS: u64 = 10_000;
/// Bytes of a token's name: a line of a list.
pub const TOKEN_NAME_BYTES: usize = 100;
/// Sessions of a home; the one that ends soonest makes room for a new one.
pub const SESSIONS: u64 = 10_000;
/// Sessions of one token or user: more than anybody has browsers.
pub const SESSIONS_OF_ONE: usize = 100;
/// Seconds after which somebody logs in again: a week, so that a forgotten browser is not for ever.
pub const SESSION_SECONDS: u64 = 7 * 24 * 60 * 60;
/// Session cookies of one request that are looked up: a browser sends one, or one for each path.
pub const SESSION_COOKIES: usize = 4;
/// Bytes of another server's token: what servers take as one header. Real ones have one or two kB.
pub const JWT_BYTES: usize = 8 << 10;
/// Seconds that the clocks of two servers may differ: what time servers keep is far less.
pub const JWT_LEEWAY_SECONDS: u64 = 30;
/// Bytes of a user's name at another server, host included.
pub const USER_NAME_BYTES: usize = 255;
/// Bytes of the file with another server's keys: a hundred RSA keys.
pub const KEY_FILE_BYTES: u64 = 64 << 10;
/// Bytes of a shared secret, and bits of an RSA modulus: less can be guessed or factored.
pub const HMAC_SECRET_BYTES: usize = 32;
/// See [`HMAC_SECRET_BYTES`].
pub const RSA_BITS: usize = 2048;
/// Bytes of a file that is looked at for a signed envelope: the record of 100,000 nodes in one has less.
pub const ENVELOPE_BYTES: u64 = 128 << 20;
/// Entries of a bundle.
pub const BUNDLE_ENTRIES: usize = 100_000;
/// Bytes of one: what the plain header of a tar can say.
pub const BUNDLE_ENTRY_BYTES: u64 = (8 << 30) - 1;
/// Bytes of a bundle's manifest: 100,000 entries have about 25 MB.
pub const BUNDLE_MANIFEST_BYTES: u64 = 32 << 20;
/// Bytes of a bundle's configs, records and runs together, which are held in memory while they are checked.
pub const BUNDLE_TEXT_BYTES: u64 = 512 << 20;
/// How many times its own bytes a bundle may hold, beyond [`BUNDLE_FREE_BYTES`]: media hardly compress.
pub const BUNDLE_RATIO: u64 = 200;
/// Bytes that a bundle may hold however small it is: a plain picture of the largest size, uncompressed.
pub const BUNDLE_FREE_BYTES: u64 = 1 << 30;
/// Bits of the window that decompressing a bundle may need: 8 MiB; ours needs two.
pub const BUNDLE_WINDOW_LOG: u32 = 23;
/// Records that a check of provenance follows back from an output.
pub const CHAIN_RECORDS: usize = 10_000;
/// Bytes of an output whose SHA-256, which other tools know, is signed beside its BLAKE3: hashing so
/// much takes some ten milliseconds.
pub const SEALED_DIGEST_BYTES: u64 = 16 << 20;
/// Bytes of a form: a token of a megabyte is still refused as a token, and a long recipe is edited.
pub const FORM_BYTES: usize = 2 << 20;
/// Bytes of the path that a log-in leads to: what servers take as one address.
pub const NEXT_BYTES: usize = 2048;
/// Wrong tokens from one address within [`FAILED_LOGIN_SECONDS`] that are answered as such:
/// more is no person's typing.
pub const FAILED_LOGINS: usize = 10;
/// Seconds that a wrong token is remembered.
pub const FAILED_LOGIN_SECONDS: u64 = 60;
/// Addresses whose wrong tokens are remembered, about 2 MB; the one seen longest ago is forgotten.
pub const FAILED_LOGIN_PEERS: usize = 10_000;
/// Longest side of the small pictures that pages show, in pixels: twice what a grid shows, for
/// dense screens.
pub const THUMB_SIDE: u32 = 320;
/// The same of pictures that a page is about: wider than its column, for dense screens.
pub const VIEW_SIDE: u32 = 1280;
/// The same for telephones.
pub const SMALL_VIEW_SIDE: u32 = 720;
/// Bytes of a picture up to which a page shows its own bytes, and no smaller picture of it.
pub const VIEW_BYTES: u64 = 256 << 10;
/// Pixels of a picture of which a small one is made; a larger one has an icon.
pub const THUMB_PIXELS: u64 = 1 << 26;
/// Small pictures that are made at once: each decodes a whole picture.
pub const THUMBS_AT_ONCE: usize = 2;
/// Runs that the page of the storage looks at for what each recipe gave.
pub const RECIPE_RUNS: usize = 20_000;
/// Runs that one form does something to.
pub const BULK_RUNS: usize = 1000;
/// Files that come in parts at once.
pub const PARTIAL_UPLOADS: usize = 1000;
/// Those of one caller, so that nobody takes all the room.
pub const PARTIAL_UPLOADS_OF_ONE: usize = 250;
/// Seconds that a file of which nothing more comes is kept: a day, so that one can go on tomorrow.
pub const PARTIAL_UPLOAD_SECONDS: u64 = 24 * 60 * 60;
/// Seconds in which L2 must have answered: a server that needs longer is asked again later, and
/// meanwhile keeps nothing else from being delivered.
pub const L2_ANSWER_SECONDS: u64 = 10;
/// Most seconds between two tries to deliver a publication: an hour, so that a server that was away
/// for a month has everything an hour after it is back.
pub const L2_WAIT_SECONDS: u64 = 3600;
