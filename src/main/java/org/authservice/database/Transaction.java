package org.authservice.database;

/** An open transaction; see {@link Database#transaction}. */
public interface Transaction {
  /** Runs a statement inside the transaction. */
  <T> T run(Statement<T> statement);

  /**
   * Runs a statement whose outcome nobody here looks at, at the latest when the transaction
   * commits: on PostgreSQL in one round trip with what follows it. When it fails the transaction
   * does.
   */
  void send(Statement<Integer> statement);

  /**
   * Waits until no other transaction holds the lock of that name, and holds it to the end. It
   * stands for a row that may not exist yet; on SQLite every transaction holds it already.
   */
  void lock(String name);

  /** Takes the {@linkplain #lock lock}, then runs a statement that sees what its holder left. */
  <T> T runLocked(String name, Statement<T> statement);

  /**
   * Sends a text to whoever {@linkplain Database#listen listens} on the channel, once the
   * transaction has committed. It may get lost; on SQLite it always does.
   *
   * @param channel an SQL identifier in lower case
   * @param text at most 7,000 ASCII characters
   */
  void announce(String channel, String text);

  /**
   * Runs an action once the transaction has committed, and not at all when it rolls back: waking a
   * worker, writing a log line, telling this node what it need not poll for.
   */
  void afterCommit(Runnable action);
}
