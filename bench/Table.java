import java.util.Locale;

/** The rows that are to be reached, each with its target beside what was measured. */
final class Table {
  private static final String ROW = "%-34s %-28s %-28s %s%n";

  private final Samples samples;
  private final boolean judges;

  /**
   * A table of those figures.
   *
   * @param judges whether to say which targets are met: figures of a moment are no judgement
   */
  Table(Samples samples, boolean judges) {
    this.samples = samples;
    this.judges = judges;
  }

  void print(int many) {
    System.out.printf(ROW, "work", "measured (lowest to highest)", "to reach", "");
    atLeast(1.0, "refresh, durable", "refresh", "pgbench, one row each", "x pgbench (goal 1.5)");
    atLeast(1.5, "refresh inside the grace", "refresh inside the grace", "refresh", "x refresh, durable");
    atLeast(0.8, "GET /auth/check", "check", "empty endpoint", "x empty endpoint");
    atLeast(0.9, "login", "login", "hashes", "x hashes of the cores");
    besideLogins();
    atLeast(0.5, "generate-otp", "generate-otp", "pgbench, one row each", "x pgbench");
    atMost(0.6, "start on SQLite, s", "start on SQLite, s", "s");
    atMost(110, "memory after start, MB", "memory after start on SQLite, MB", "MB");
    atMost(256, "memory under load, MB", "memory under load, MB", "MB");
    for (String work : new String[] {"refresh", "check", "login", "clean-up"}) {
      growth(work, "growth to " + many + ": " + work);
    }
    System.out.println("\nrequests failed: " + samples.failures() + "\n");
  }

  private void atLeast(double target, String row, String name, String to, String unit) {
    if (samples.has(name) && samples.has(to)) {
      double[] ratios = samples.ratios(name, to);
      boolean met = Double.isFinite(middle(ratios)) && middle(ratios) >= target; // not where nothing was answered
      line(row, spread(ratios), String.format(Locale.ROOT, ">= %.1f %s", target, unit), met);
    }
  }

  private void atMost(double target, String row, String name, String unit) {
    if (samples.has(name)) {
      double value = samples.median(name);
      String to = String.format(Locale.ROOT, "<= %s %s", target < 1 ? "" + target : "" + (int) target, unit);
      line(row, String.format(Locale.ROOT, "%.2f", value), to, value <= target);
    }
  }

  private void besideLogins() {
    if (samples.has("refresh p99 beside logins, ms")) {
      double alone = samples.median("refresh p99 alone, ms");
      double beside = samples.median("refresh p99 beside logins, ms");
      String measured = String.format(Locale.ROOT, "%.1f ms, alone %.1f ms", beside, alone);
      line("refresh p99 beside logins", measured, "<= 2 x alone, or < 20 ms", beside <= 2 * alone || beside < 20);
    }
  }

  /** A cost is what a request takes of both processes, or a clean-up of time. */
  private void growth(String work, String row) {
    if (samples.has("many: " + work + ", cost")) {
      double[] ratios = samples.ratios("many: " + work + ", cost", "small: " + work + ", cost");
      line(row, spread(ratios), "<= 1.3 x the cost beside few", middle(ratios) <= 1.3);
    }
  }

  private void line(String row, String measured, String target, boolean met) {
    System.out.printf(ROW, row, measured, target, !judges ? "" : met ? "met" : "MISSED");
  }

  private static double middle(double[] sorted) {
    return sorted[sorted.length / 2];
  }

  private static String spread(double[] sorted) {
    return String.format(Locale.ROOT, "%.2f (%.2f to %.2f)", middle(sorted), sorted[0], sorted[sorted.length - 1]);
  }
}
