package org.authservice.testing;

import java.util.Arrays;
import java.util.Locale;

/**
 * Times of one kind of request, in nanoseconds, to be compared with those of another kind that was
 * measured in turn with it. All statements hold without any assumption on how the times are
 * distributed: they are about ranks.
 */
public final class Samples {
  /** Two sides of a normal distribution beyond which one in a thousand lies. */
  private static final double ONE_IN_A_THOUSAND = 3.29;

  private final double[] times;

  /** Those times, in the order of the rounds. */
  public Samples(double[] times) {
    this.times = times.clone();
  }

  /** The middle one. */
  public double median() {
    double[] sorted = sorted(times);
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  /** The same, each longer by that part. */
  public Samples longer(double part) {
    return new Samples(Arrays.stream(times).map(it -> it * (1 + part)).toArray());
  }

  /**
   * Whether the medians differ by more than a part of the other's: the interval in which the median
   * of the paired differences lies, but for one case in a thousand (sign test), is all beyond it.
   * Pairs were measured moments apart, so what slows the machine down slows both.
   */
  public boolean medianDiffers(Samples other, double part) {
    double[] differences = new double[times.length];
    for (int i = 0; i < differences.length; i++) {
      differences[i] = times[i] - other.times[i];
    }
    double[] interval = interval(differences, 0.5);
    double tolerated = other.median() * part;
    return interval[0] > tolerated || interval[1] < -tolerated;
  }

  /** Whether a quantile differs by more than a part: its two intervals are that far apart. */
  public boolean quantileDiffers(Samples other, double quantile, double part) {
    double[] here = interval(times, quantile);
    double[] there = interval(other.times, quantile);
    return here[0] > there[1] * (1 + part) || there[0] > here[1] * (1 + part);
  }

  /** For a report. */
  public String against(Samples other) {
    return String.format(
        Locale.ROOT,
        "%.3f ms (%+.1f %%)",
        median() / 1e6,
        100 * (median() - other.median()) / other.median());
  }

  /** Where the quantile lies, but for one case in a thousand. */
  private static double[] interval(double[] values, double quantile) {
    double[] sorted = sorted(values);
    double middle = quantile * sorted.length;
    double reach = ONE_IN_A_THOUSAND * Math.sqrt(sorted.length * quantile * (1 - quantile));
    int low = Math.clamp((long) Math.floor(middle - reach), 0, sorted.length - 1);
    int high = Math.clamp((long) Math.ceil(middle + reach), 0, sorted.length - 1);
    return new double[] {sorted[low], sorted[high]};
  }

  private static double[] sorted(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted;
  }
}
