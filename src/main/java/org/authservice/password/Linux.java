package org.authservice.password;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Advice to Linux; elsewhere nothing happens. None of it is needed, so none of its failures stops
 * anything.
 */
final class Linux {
  private static final Logger log = LoggerFactory.getLogger(Linux.class);
  private static final int CALLING_THREAD = 0;
  private static final int PRIO_PROCESS = 0;
  private static final int MADV_HUGEPAGE = 14;

  private Linux() {}

  /**
   * Gives the calling thread a nice value by setpriority(2). The JVM leaves {@link
   * Thread#setPriority} without effect on Linux, and elsewhere the call would mean all threads.
   */
  static void nice(int value) {
    call("setpriority", PRIO_PROCESS, CALLING_THREAD, value);
  }

  /** Asks for huge pages there by madvise(2). */
  static void hugePages(Pointer start, long bytes) {
    call("madvise", start, bytes, MADV_HUGEPAGE);
  }

  private static void call(String name, Object... arguments) {
    try {
      if (Platform.isLinux()) {
        NativeLibrary.getInstance(Platform.C_LIBRARY_NAME).getFunction(name).invokeInt(arguments);
      }
    } catch (LinkageError without) { // JNA's own library cannot be unpacked
      log.warn("{} cannot be called", name, without);
    }
  }
}
