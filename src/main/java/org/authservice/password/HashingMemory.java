package org.authservice.password;

import com.sun.jna.Callback;
import com.sun.jna.CallbackReference;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import de.mkammerer.argon2.jna.Argon2_context;
import de.mkammerer.argon2.jna.Size_t;
import org.jspecify.annotations.Nullable;

/**
 * The memory that Argon2 fills, kept from one computation to the next: asked of the system anew
 * each time, its 19 MiB cost a tenth of the logins; left to {@code malloc}, what is small settles
 * between two large pieces and both stay. On Linux it lies in huge pages where there are any, since
 * Argon2 goes back and forth all over it. Argon2 itself overwrites it before it gives it back. For
 * one thread at a time.
 */
final class HashingMemory implements AutoCloseable {
  private static final long HUGE_PAGE = 2 << 20;

  /**
   * What is kept, enough for a new hash: from here on glibc maps each piece by itself, and where it
   * is never touched it takes nothing. What an imported hash asks for beyond is given back at once.
   */
  private static final long KEPT = (32 << 20) + 4096;

  // Their machine code lives as long as these do.
  private final Allocate allocate = this::allocate;
  private final Free free = this::free;
  private @Nullable Memory memory;

  /** {@code allocate_fptr} of argon2.h. */
  interface Allocate extends Callback {
    int callback(Pointer place, Size_t bytes);
  }

  /** {@code deallocate_fptr} of argon2.h. */
  interface Free extends Callback {
    void callback(Pointer memory, Size_t bytes);
  }

  /** Lets a computation work here. */
  void serve(Argon2_context context) {
    context.allocate_cbk = CallbackReference.getFunctionPointer(allocate);
    context.free_cbk = CallbackReference.getFunctionPointer(free);
  }

  @Override
  public void close() {
    if (memory != null) {
      memory.close();
      memory = null;
    }
  }

  private int allocate(Pointer place, Size_t bytes) {
    long needed = bytes.longValue() + HUGE_PAGE; // wherever the first huge page may begin
    Memory kept = memory;
    if (kept == null || kept.size() < needed) {
      close();
      kept = new Memory(Math.max(needed, KEPT));
      memory = kept;
      Linux.hugePages(aligned(kept), bytes.longValue());
    }
    place.setPointer(0, aligned(kept));
    return 0;
  }

  private void free(Pointer unused, Size_t bytes) {
    if (memory != null && memory.size() > KEPT) {
      close();
    }
  }

  private static Pointer aligned(Memory memory) {
    return memory.align((int) HUGE_PAGE);
  }
}
