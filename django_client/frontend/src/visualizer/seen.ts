import { onBeforeUnmount, onMounted, type Ref } from 'vue';

/** Does something once, when an element comes near the visible part of the page. */
export function whenSeen(element: Ref<HTMLElement | null>, begin: () => void): void {
  let observer: IntersectionObserver | undefined;
  onMounted(() => {
    observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          observer?.disconnect();
          begin();
        }
      },
      { rootMargin: '200px' },
    );
    if (element.value) {
      observer.observe(element.value);
    }
  });
  onBeforeUnmount(() => observer?.disconnect());
}
