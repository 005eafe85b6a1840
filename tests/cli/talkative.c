/* A driver with bad manners in front of a good one: it prints when it is loaded, and aborts when it is unloaded. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void greet(void)
{
    puts("Vendor PKCS#11 middleware, licensed to nobody");
    fflush(stdout);
}

__attribute__((destructor)) static void leave(void)
{
    abort();
}

__attribute__((visibility("default"))) unsigned long C_GetFunctionList(void **list)
{
    void *backend = dlopen(BACKEND, RTLD_NOW);
    unsigned long (*get)(void **) = backend ? (unsigned long (*)(void **))dlsym(backend, "C_GetFunctionList") : NULL;
    return get ? get(list) : 5;
}
