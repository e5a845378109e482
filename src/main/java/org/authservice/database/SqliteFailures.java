package org.authservice.database;

import java.sql.SQLException;
import java.util.Set;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** What SQLite's result codes mean to this service. */
final class SqliteFailures {
  private static final Set<Integer> OUTAGES =
      Set.of(
          SQLiteErrorCode.SQLITE_BUSY.code,
          SQLiteErrorCode.SQLITE_LOCKED.code,
          SQLiteErrorCode.SQLITE_NOMEM.code,
          SQLiteErrorCode.SQLITE_READONLY.code,
          SQLiteErrorCode.SQLITE_INTERRUPT.code,
          SQLiteErrorCode.SQLITE_IOERR.code,
          SQLiteErrorCode.SQLITE_FULL.code,
          SQLiteErrorCode.SQLITE_CANTOPEN.code,
          SQLiteErrorCode.SQLITE_PROTOCOL.code);

  private SqliteFailures() {}

  static RuntimeException translate(String sql, SQLException failure) {
    if (failure instanceof SQLiteException sqlite
        && OUTAGES.contains(sqlite.getResultCode().code & 0xff)) {
      return Failures.unavailable("SQLite: " + Failures.firstLine(failure), failure);
    }
    return Failures.fault(sql, failure);
  }
}
