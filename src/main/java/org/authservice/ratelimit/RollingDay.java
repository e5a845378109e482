package org.authservice.ratelimit;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How often something happened in the day that ends now. It is counted in pieces of three hours,
 * and a piece counts until all of it is a day old: in no 24 hours, wherever they begin, is there
 * more than the limit, and nothing counts for longer than 27. Nine pieces matter at a time, so a
 * row has nine columns, used in turn, and one that names the newest piece.
 *
 * @param newest the newest piece that was counted in
 * @param counts the nine columns, {@code day_0} first
 */
public record RollingDay(long newest, List<Integer> counts) {
  /** For how long something may count: a day, and what is left of its piece. */
  public static final Duration LONGEST = Duration.ofHours(27);

  private static final Duration PIECE = Duration.ofHours(3);

  /** How many columns a row has for its counts. */
  static final int PIECES = 9;

  /** The piece in which a moment lies. */
  public static long piece(Instant moment) {
    return Math.floorDiv(moment.toEpochMilli(), PIECE.toMillis());
  }

  /** The column of counts that a piece uses. */
  public static String column(long piece) {
    return "day_" + Math.floorMod(piece, PIECES);
  }

  /**
   * SQL for the number that counts.
   *
   * @param row the name of the row with the columns
   * @param now SQL for the piece of the present moment
   */
  public static String total(String row, String now) {
    return each(" + ", k -> counted(row, now, k));
  }

  /** SQL that assigns the columns what they are after one more; the arguments are as above. */
  public static String another(String row, String now) {
    return each(
            ", ",
            k ->
                "%s = %s + CASE WHEN %s %% %d = %d THEN 1 ELSE 0 END"
                    .formatted(column(k), counted(row, now, k), now, PIECES, k))
        + ", day_piece = CASE WHEN %2$s > %1$s.day_piece THEN %2$s ELSE %1$s.day_piece END"
            .formatted(row, now);
  }

  /** SQL for the number that counts in the row that was just written. */
  public static String totalWritten() {
    return each(" + ", RollingDay::column);
  }

  /** SQL that names the columns. */
  static String columns() {
    return "day_piece, " + each(", ", RollingDay::column);
  }

  /** SQL that assigns the columns what they are when nothing happened. */
  static String none() {
    return each(", ", k -> column(k) + " = 0");
  }

  /** When fewer than the limit count, if they do not now. */
  Optional<Instant> roomAt(Instant now, int limit) {
    long current = piece(now);
    long oldest = current - PIECES + 1;
    int left = 0;
    for (long piece = current; piece >= oldest; piece--) {
      left += in(piece);
      if (left >= limit) {
        return Optional.of(Instant.EPOCH.plus(PIECE.multipliedBy(piece + PIECES)));
      }
    }
    return Optional.empty();
  }

  private int in(long piece) {
    return piece <= newest ? counts.get(Math.floorMod(piece, PIECES)) : 0;
  }

  /** What a column holds of the last nine pieces; one that is older has not been written over. */
  private static String counted(String row, String now, int k) {
    return "CASE WHEN (%2$s - %3$d) %% %4$d >= %2$s - %1$s.day_piece THEN %1$s.%5$s ELSE 0 END"
        .formatted(row, now, k, PIECES, column(k));
  }

  private static String each(String separator, IntFunction<String> sql) {
    return IntStream.range(0, PIECES).mapToObj(sql).collect(Collectors.joining(separator));
  }
}
