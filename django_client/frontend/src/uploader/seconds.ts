import { onUnmounted, ref, type Ref, watch } from 'vue';

/** The time in milliseconds since 1970, renewed every second while that is needed. */
export function useSeconds(isNeeded: () => boolean): Ref<number> {
  const now = ref(Date.now());
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = () => clearInterval(timer);
  watch(
    isNeeded,
    (needed) => {
      stop();
      now.value = Date.now();
      if (needed) {
        timer = setInterval(() => (now.value = Date.now()), 1000);
      }
    },
    { immediate: true },
  );
  onUnmounted(stop);
  return now;
}
