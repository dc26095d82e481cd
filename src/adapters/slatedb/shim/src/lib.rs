//! The door to SlateDB for C: one database in a local folder, written once in key order, or read.
//!
//! The contract is in `slatedb_shim.h`. No panic crosses the door: each function catches it and makes it an error.
//! All futures run on one runtime of the process, whose threads live as long as it does.
use std::any::Any;
use std::ffi::{c_char, CStr};
use std::future::Future;
use std::ops::Bound;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use slatedb::bytes::Bytes;
use slatedb::config::{
    CheckpointOptions, CheckpointScope, CloseOptions, DbReaderOptions, FlushOptions, FlushType, ScanOptions, Settings,
};
use slatedb::object_store::local::LocalFileSystem;
use slatedb::object_store::{self, ObjectStore};
use slatedb::{Db, DbIterator, DbReader, DbReaderMode, ErrorKind, KeyValue, WriteBatch};
use tokio::runtime::Runtime;

const KIND_CORRUPT: i32 = 1;
const KIND_FULL: i32 = 2;
const KIND_TRANSIENT: i32 = 3;
const KIND_BUG: i32 = 4;

const DISK_IS_FULL: [i32; 2] = [28, 122]; // ENOSPC, EDQUOT
const MESSAGE_MAX: usize = 512;
const BATCH_BYTES: usize = 256 * 1024;
const BATCH_ROWS: usize = 4096;
const SST_BYTES_MIN: usize = 1 << 20;
const SST_BYTES_MAX: usize = 64 << 20;
const SSTS_MAX: usize = 1 << 20;
const RETRIES_MAX: u32 = 3; // of a local file; the default is for ever
const READ_AHEAD_BYTES: usize = 1 << 20;
const RUNTIME_THREADS: usize = 2;
const NEVER: Duration = Duration::from_secs(10 * 365 * 86400);

#[repr(C)]
pub struct ShimError {
    kind: i32,
    message: [c_char; MESSAGE_MAX],
}

struct Failure {
    kind: i32,
    text: String,
}

type Outcome<T> = Result<T, Failure>;

pub struct Writer {
    db: Db,
    batch: WriteBatch,
    batch_bytes: usize,
    batch_rows: usize,
}

pub struct Reader {
    db: DbReader,
}

pub struct Rows {
    iterator: DbIterator,
    row: Option<KeyValue>, // what the caller was given last
}

// ---- errors ----

impl From<slatedb::Error> for Failure {
    fn from(error: slatedb::Error) -> Self {
        let mut kind = match error.kind() {
            ErrorKind::Data => KIND_CORRUPT,
            ErrorKind::Unavailable => KIND_TRANSIENT,
            _ => KIND_BUG,
        };
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(at) = cause {
            if let Some(io) = at.downcast_ref::<std::io::Error>() {
                if io.raw_os_error().is_some_and(|code| DISK_IS_FULL.contains(&code)) {
                    kind = KIND_FULL;
                }
            }
            if let Some(object_store::Error::NotFound { .. }) = at.downcast_ref::<object_store::Error>() {
                kind = KIND_CORRUPT; // a file that another one names
            }
            let more = at.to_string();
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            cause = at.source();
        }
        Failure { kind, text }
    }
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        Failure { kind: KIND_TRANSIENT, text: error.to_string() }
    }
}

fn panic_text(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a text".into())
}

unsafe fn tell(to: *mut ShimError, failure: &Failure) {
    let message = &mut (*to).message;
    let mut size = failure.text.len().min(MESSAGE_MAX - 1);
    while !failure.text.is_char_boundary(size) {
        size -= 1;
    }
    for (at, byte) in message.iter_mut().zip(failure.text.as_bytes()[..size].iter()) {
        *at = if *byte < b' ' { b' ' as c_char } else { *byte as c_char };
    }
    message[size] = 0;
    (*to).kind = failure.kind;
}

/// Runs the body of a function of the door. True: it went well.
unsafe fn door(error: *mut ShimError, body: impl FnOnce() -> Outcome<()>) -> bool {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return true,
        Ok(Err(failure)) => failure,
        Err(panic) => Failure { kind: KIND_BUG, text: format!("panic: {}", panic_text(panic)) },
    };
    tell(error, &failure);
    false
}

// ---- what all share ----

fn runtime() -> Outcome<&'static Runtime> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(RUNTIME_THREADS)
            .thread_name("slatedb")
            .enable_all()
            .build()
            .map_err(|error| error.to_string())
    });
    made.as_ref().map_err(|text| Failure { kind: KIND_TRANSIENT, text: format!("no threads: {text}") })
}

fn wait<T>(future: impl Future<Output = Result<T, slatedb::Error>>) -> Outcome<T> {
    Ok(runtime()?.block_on(future)?)
}

unsafe fn files_of(folder: *const c_char) -> Outcome<Arc<dyn ObjectStore>> {
    let text = CStr::from_ptr(folder).to_str();
    let text = text.map_err(|_| Failure { kind: KIND_BUG, text: "a folder's name that is not UTF-8".into() })?;
    Ok(Arc::new(LocalFileSystem::new_with_prefix(text)?))
}

unsafe fn bytes_of<'a>(data: *const u8, size: usize) -> &'a [u8] {
    if size == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(data, size)
    }
}

// ---- writing ----

/// No log of writes, no compaction, no garbage collection: rows come once and in order, so the files of level 0 do
/// not overlap and a look-up reads one of them. Of memory: two tables of rows at most, and one file in the making.
fn settings_for(memory_bytes: u64) -> Settings {
    let sst_bytes = usize::try_from(memory_bytes / 4).unwrap_or(SST_BYTES_MAX).clamp(SST_BYTES_MIN, SST_BYTES_MAX);
    Settings {
        flush_interval: None,
        wal_enabled: false,
        manifest_poll_interval: NEVER,
        l0_sst_size_bytes: sst_bytes,
        max_unflushed_bytes: 2 * sst_bytes,
        l0_max_ssts: SSTS_MAX,
        l0_max_ssts_per_key: SSTS_MAX,
        l0_flush_parallelism: 1,
        compactor_options: None,
        garbage_collector_options: None,
        object_store_max_retries: Some(RETRIES_MAX),
        ..Settings::default()
    }
}

impl Writer {
    fn open(files: Arc<dyn ObjectStore>, memory_bytes: u64) -> Outcome<Writer> {
        let db = wait(Db::builder("", files).with_settings(settings_for(memory_bytes)).build())?;
        Ok(Writer { db, batch: WriteBatch::new(), batch_bytes: 0, batch_rows: 0 })
    }

    fn send(&mut self) -> Outcome<()> {
        let batch = std::mem::replace(&mut self.batch, WriteBatch::new());
        if self.batch_rows > 0 {
            wait(self.db.write(batch))?;
        }
        self.batch_bytes = 0;
        self.batch_rows = 0;
        Ok(())
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Outcome<()> {
        self.batch.put(key, value);
        self.batch_bytes += key.len() + value.len();
        self.batch_rows += 1;
        if self.batch_bytes < BATCH_BYTES && self.batch_rows < BATCH_ROWS {
            return Ok(());
        }
        self.send()
    }

    fn finish(&mut self) -> Outcome<String> {
        self.send()?;
        wait(self.db.flush_with_options(FlushOptions { flush_type: FlushType::MemTable }))?;
        let made = wait(self.db.create_checkpoint(CheckpointScope::All, &CheckpointOptions::default()))?;
        wait(self.db.close())?;
        Ok(made.id.simple().to_string())
    }

    fn give_up(&mut self) -> Outcome<()> {
        wait(self.db.close_with_options(CloseOptions::default().with_flush_type(None)))
    }
}

#[no_mangle]
pub unsafe extern "C" fn slatedb_shim_create(
    folder: *const c_char,
    memory_bytes: u64,
    ret_writer: *mut *mut Writer,
    error: *mut ShimError,
) -> bool {
    door(error, || {
        let writer = Writer::open(files_of(folder)?, memory_bytes)?;
        *ret_writer = Box::into_raw(Box::new(writer));
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn slatedb_shim_put(
    writer: *mut Writer,
    key: *const u8,
    key_size: usize,
    value: *const u8,
    value_size: usize,
    error: *mut ShimError,
) -> bool {
    door(error, || (*writer).put(bytes_of(key, key_size), bytes_of(value, value_size)))
}

#[no_mangle]
pub unsafe extern "C" fn slatedb_shim_finish(
    take_writer: *mut Writer,
    ret_checkpoint_id: *mut [c_char; 33],
    error: *mut ShimError,
) -> bool {
    door(error, || {
        let mut writer = Box::from_raw(take_writer);
        let finished = writer.finish();
        if finished.is_err() {
            let _ = writer.give_up();
        }
        let id = finished?;
        for (at, byte) in (*ret_checkpoint_id).iter_mut().zip(id.bytes()) {
            *at = byte as c_char;
        }
        (*ret_checkpoint_id)[32] = 0;
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn slatedb_shim_give_up(take_writer: *mut Writer) {
    // what is left is thrown away: why closing it failed does not matter
    let _ = catch_unwind(AssertUnwindSafe(|| Box::from_raw(take_writer).give_up()));
}

#[no_mangle]
pub extern "C" fn slatedb_shim_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

// ---- reading ----

#[no_mangle]
pub unsafe extern "C" fn slatedb_shim_open(
    folder: *const c_char,
    ret_reader: *mut *mut Reader,
    error: *mut ShimError,
) -> bool {
    door(error, || {
        let options = DbReaderOptions {
            manifest_poll_interval: NEVER,
            skip_wal_replay: true,
            object_store_max_retries: Some(RETRIES_MAX),
            ..DbReaderOptions::default()
        };
        // the one mode that writes nothing
        let builder = DbReader::builder("", files_of(folder)?).with_reader_mode(DbReaderMode::FollowLatest);
        let db = wait(builder.with_options(options).build())?;
        *ret_reader = Box::into_raw(Box::new(Reader { db }));
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn slatedb_shim_close(take_reader: *mut Reader) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let reader = Box::from_raw(take_reader);
        wait(reader.db.close())
    }));
}

#[no_mangle]
pub unsafe extern "C" fn slatedb_shim_get(
    reader: *const Reader,
    key: *const u8,
    key_size: usize,
    take: extern "C" fn(to: *mut std::ffi::c_void, data: *const u8, size: usize),
    to: *mut std::ffi::c_void,
    ret_found: *mut bool,
    error: *mut ShimError,
) -> bool {
    door(error, || {
        let value = wait((*reader).db.get(bytes_of(key, key_size)))?;
        *ret_found = value.is_some();
        if let Some(value) = value {
            take(to, value.as_ptr(), value.len());
        }
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn slatedb_shim_scan(
    reader: *const Reader,
    from: *const u8,
    from_size: usize,
    to: *const u8,
    to_size: usize,
    has_end: bool,
    ret_rows: *mut *mut Rows,
    error: *mut ShimError,
) -> bool {
    door(error, || {
        let from = Bytes::copy_from_slice(bytes_of(from, from_size));
        let start = if from.is_empty() { Bound::Unbounded } else { Bound::Included(from) };
        let end = match has_end {
            true => Bound::Excluded(Bytes::copy_from_slice(bytes_of(to, to_size))),
            false => Bound::Unbounded,
        };
        let options = ScanOptions::default().with_read_ahead_bytes(READ_AHEAD_BYTES);
        let iterator = wait((*reader).db.scan_with_options((start, end), &options))?;
        *ret_rows = Box::into_raw(Box::new(Rows { iterator, row: None }));
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn slatedb_shim_next(
    rows: *mut Rows,
    ret_key: *mut *const u8,
    ret_key_size: *mut usize,
    ret_value: *mut *const u8,
    ret_value_size: *mut usize,
    ret_more: *mut bool,
    error: *mut ShimError,
) -> bool {
    door(error, || {
        let rows = &mut *rows;
        rows.row = wait(rows.iterator.next())?;
        *ret_more = rows.row.is_some();
        if let Some(row) = &rows.row {
            *ret_key = row.key.as_ptr();
            *ret_key_size = row.key.len();
            *ret_value = row.value.as_ptr();
            *ret_value_size = row.value.len();
        }
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn slatedb_shim_end(take_rows: *mut Rows) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(Box::from_raw(take_rows))));
}
