/*
 * The device model of one guest: its parts, for the commands
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "dm_model_private.h"

DmModelPhase
dmModelPhase(const DmModel *model)
{
    return model->phase;
}

const DmOptions *
dmModelOptions(const DmModel *model)
{
    return model->options;
}

DmGuest *
dmModelGuest(const DmModel *model)
{
    return model->guest;
}

DmStubdomain *
dmModelStubdomain(DmModel *model)
{
    return model->stubdomain;
}

const DmImage *
dmModelImage(const DmModel *model)
{
    return model->image;
}

DmCdroms *
dmModelCdroms(DmModel *model)
{
    return model->cdroms;
}

DmStore *
dmModelStore(DmModel *model)
{
    return model->store;
}

DmLibxl *
dmModelLibxl(DmModel *model)
{
    return model->libxl;
}

DmPci *
dmModelPci(DmModel *model)
{
    return model->pci;
}

DmCommandsSave **
dmModelSave(DmModel *model)
{
    return &model->save;
}

DmDisplay *
dmModelDisplay(DmModel *model)
{
    return model->display;
}

DmCommandsDisplay **
dmModelDisplayCommands(DmModel *model)
{
    return &model->displayCommands;
}

gboolean *
dmModelContinued(DmModel *model)
{
    return &model->continued;
}

void
dmModelHold(DmModel *model, DmQmpRequest *request)
{
    g_ptr_array_add(model->held, request);
}

void
dmModelEvent(DmModel *model, const char *name, JsonObject *data)
{
    if (model->sockets) {
        dmSocketsEvent(model->sockets, name, data);
    } else if (data) {
        json_object_unref(data);
    }
}
