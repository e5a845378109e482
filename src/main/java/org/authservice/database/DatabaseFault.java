package org.authservice.database;

/** A statement that the database refuses for good: a bug, not an outage. */
public final class DatabaseFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  DatabaseFault(String message, Throwable cause) {
    super(message, cause);
  }
}
