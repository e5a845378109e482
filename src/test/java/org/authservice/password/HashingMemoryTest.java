package org.authservice.password;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import de.mkammerer.argon2.jna.Argon2Library;
import de.mkammerer.argon2.jna.Argon2_context;
import de.mkammerer.argon2.jna.Argon2_version;
import de.mkammerer.argon2.jna.JnaUint32;
import de.mkammerer.argon2.jna.Size_t;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What native code is given to work in, seen as native code sees it: through its two functions. */
class HashingMemoryTest {
  private static final int KIB = 19456;
  private static final int BYTES = KIB * 1024;

  private final HashingMemory memory = new HashingMemory();
  private final Argon2_context.ByReference context = new Argon2_context.ByReference();

  HashingMemoryTest() {
    memory.serve(context);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void nothingOfAPasswordIsLeftInWhatIsKept() {
    Pointer block = allocate(BYTES);
    byte[] foreign = new byte[BYTES];
    Arrays.fill(foreign, (byte) 0x5a);
    block.write(0, foreign, 0, BYTES);
    free(block, BYTES);

    assertThat(compute()).isEqualTo(Argon2Library.ARGON2_OK);

    assertThat(allocate(BYTES)).isEqualTo(block);
    assertThat(block.getByteArray(0, BYTES)).containsOnly(0);
  }

  @Test
  void aSmallerComputationTakesTheSamePlaceAndALargerOneKeepsNone() {
    Pointer block = allocate(BYTES);
    free(block, BYTES);
    assertThat(allocate(BYTES / 2)).isEqualTo(block);
    free(block, BYTES / 2);

    int large = 8 * BYTES;
    Pointer larger = allocate(large);
    larger.setByte(0, (byte) 1);
    larger.setByte(large - 1, (byte) 1);
    free(larger, large);

    Pointer again = allocate(BYTES);
    assertThat(again.getByte(0)).isEqualTo((byte) 0); // new from the system
  }

  private int compute() {
    try (Memory out = new Memory(32);
        Memory text = new Memory(16)) {
      text.clear();
      context.out = out;
      context.outlen = new JnaUint32(32);
      context.pwd = text;
      context.pwdlen = new JnaUint32(16);
      context.salt = text;
      context.saltlen = new JnaUint32(16);
      context.t_cost = new JnaUint32(1);
      context.m_cost = new JnaUint32(KIB);
      context.lanes = new JnaUint32(1);
      context.threads = new JnaUint32(1);
      context.version = new Argon2_version(0x13);
      return Argon2Library.INSTANCE.argon2id_ctx(context);
    }
  }

  private Pointer allocate(int bytes) {
    try (Memory place = new Memory(8)) {
      Function.getFunction(context.allocate_cbk).invokeInt(new Object[] {place, new Size_t(bytes)});
      return place.getPointer(0);
    }
  }

  private void free(Pointer block, int bytes) {
    Function.getFunction(context.free_cbk).invokeVoid(new Object[] {block, new Size_t(bytes)});
  }
}
