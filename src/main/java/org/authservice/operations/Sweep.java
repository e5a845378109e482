package org.authservice.operations;

import java.time.Instant;
import org.authservice.database.Statement;

/**
 * What a feature leaves behind once it has expired.
 *
 * @param table for the log and the metric {@code auth_cleanup_rows_total}
 * @param batch deletes the oldest
 */
public record Sweep(String table, Batch batch) {

  /** How the oldest are deleted. */
  @FunctionalInterface
  public interface Batch {
    /**
     * The statement that deletes at most so many rows, oldest first, skipping those that others
     * hold; its row count tells whether there are more.
     *
     * @param expiredBefore only what had expired by then; a day ago
     */
    Statement<Integer> delete(Instant expiredBefore, int most);
  }
}
